// Lanes = what one invocation carries side by side: here one model.

alias Lanes = f32;
alias Classes = u32;
alias Flags = bool;

fn lanes(v: vec4<f32>) -> Lanes {
    return v.x;
}

fn class_lanes(v: vec4<u32>) -> Classes {
    return v.x;
}

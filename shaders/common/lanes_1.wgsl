// Lanes = the values that one invocation processes side by side: here one.

alias Lanes = f32;
alias Classes = u32;
alias Flags = bool;

fn lanes(v: vec4<f32>) -> Lanes {
    return v.x;
}

fn class_lanes(v: vec4<u32>) -> Classes {
    return v.x;
}

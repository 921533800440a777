// Lanes = the values that one invocation processes side by side: here four models, or four rows.

alias Lanes = vec4<f32>;
alias Classes = vec4<u32>;
alias Flags = vec4<bool>;

fn lanes(v: vec4<f32>) -> Lanes {
    return v;
}

fn class_lanes(v: vec4<u32>) -> Classes {
    return v;
}

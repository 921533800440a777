// The parameters of four models of the stack side by side, for the mini-batch kernels.

struct Quad {
    class_index: vec4<u32>,
    positive_weight: vec4<f32>,
    negative_weight: vec4<f32>,
    step: vec4<f32>,
    l1: vec4<f32>,
    l2: vec4<f32>,
    inverse_weight_sum: vec4<f32>,
    coupling: vec4<f32>,
    held_first: vec4<u32>,
    held_span: vec4<u32>,
}

// The label test, class weights and held-out folds of one model.

struct Model {
    class_index: u32,
    positive_weight: f32,
    negative_weight: f32,
    held_first: u32,
    held_span: u32,
}

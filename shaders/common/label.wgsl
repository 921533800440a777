// A row's label has its class in the lower 16 bits and its fold in the upper 16 bits. The folds that a model
// holds out are one range of labels, held_first .. held_first + held_span. For a label below held_first the
// difference wraps around to a large number.

fn class_of(label: Classes) -> Classes {
    return label & Classes(0xffffu);
}

fn is_held_out(label: Classes, held_first: Classes, held_span: Classes) -> Flags {
    return label - held_first < held_span;
}

// A row's label: its class in the lower half, its fold in the upper. The folds that a model holds out are one run of
// labels, held_first .. + held_span; below the first, the difference wraps around to a large number.

fn class_of(label: Classes) -> Classes {
    return label & Classes(0xffffu);
}

fn is_held_out(label: Classes, held_first: Classes, held_span: Classes) -> Flags {
    return label - held_first < held_span;
}

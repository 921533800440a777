// One step of an epoch as seen by one buffer of X: the batch is the positions start .. start + n_rows,
// and a kernel takes those whose panel is one of the buffer's (first_panel .. + n_panels).

struct Step {
    n_features: u32,
    n_quads: u32,
    start: u32,
    n_rows: u32,
    first_panel: u32,
    n_panels: u32,
    chunk_rows: u32,
    partials_at: u32,
    n_partials: u32,
    trains_intercept: u32,
    scale: f32,
    pad: u32,
}

// Where position t of the epoch lies in this buffer.
struct Place {
    here: bool,
    panel: u32,
    lane: u32,
}

fn place(step: Step, order_of_t: u32, t: u32) -> Place {
    let panel = order_of_t - step.first_panel;
    // A panel of an earlier buffer wraps around to a large number.
    return Place(panel < step.n_panels, panel, t % 256u);
}

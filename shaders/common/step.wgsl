// One step of an epoch for one buffer of X. The batch is the positions start .. start + n_rows of the epoch.
// The kernels process the positions whose panel lies in this buffer, first_panel .. first_panel + n_panels.

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

// The place of a position of the epoch in this buffer, if it is here.
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

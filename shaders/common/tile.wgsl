// A block of rows (panels first_panel .. + n_panels of one buffer) and a block of models.

struct Tile {
    n_features: u32,
    n_models: u32,
    first_panel: u32,
    n_panels: u32,
    chunk_panels: u32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

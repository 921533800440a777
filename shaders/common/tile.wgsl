// A block of rows (n_panels panels of one buffer, from first_panel on, stride panels apart) and of models.

struct Tile {
    n_features: u32,
    n_models: u32,
    first_panel: u32,
    n_panels: u32,
    chunk_panels: u32,
    stride: u32,
    pad0: u32,
    pad1: u32,
}

// Gradient of a block of rows for a block of models, as a tiled product: partials += X' r.
//
// Shapes, with P panels of a sample and M models (a multiple of 16) in the block: residuals P x M x 256, rows
// contiguous; partials n_chunks x d x M. Chunk c adds the panels c * chunk_panels .. + chunk_panels.
//
// Work: workgroup (a, g, c) = columns 32 a .. + 32, models 16 g .. + 16, chunk c. Its 256 invocations are 8
// tiles of 8 columns x 8 models, with 32 lanes along the rows each. Every load is a coalesced vec4 of 4
// rows, and 16 loads feed 256 multiply-adds. Tiles share loads through the cache. Lanes are added up in a
// fixed order, once, at the end.

@group(0) @binding(0) var<uniform> tile: Tile;
@group(0) @binding(1) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> residuals4: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partials4: array<vec4<f32>>;

// For each invocation: 8 models of one column of its tile.
var<workgroup> sums: array<vec4<f32>, 512>;

// Residuals of four models by four rows: `x * load_models(..)` sums the products over the rows.
fn load_models(at: u32) -> mat4x4<f32> {
    return mat4x4(residuals4[at], residuals4[at + 64u], residuals4[at + 128u], residuals4[at + 192u]);
}

// Adds up the lanes of column `k` of every tile. There are 16 sums of 4 models, with 16 invocations each.
fn fold(k: u32, group: vec3<u32>, t: u32, low: vec4<f32>, high: vec4<f32>) {
    workgroupBarrier();
    sums[t * 2u] = low;
    sums[t * 2u + 1u] = high;
    workgroupBarrier();
    let which = t / 16u;
    let at = (which / 2u) * 64u + which % 2u + (t % 16u) * 4u;
    let pair = sums[at] + sums[at + 2u];
    workgroupBarrier();
    sums[t] = pair;
    workgroupBarrier();
    let column = group.x * 32u + (t / 4u) * 8u + k;
    if t < 16u && column < tile.n_features {
        var s = sums[t * 16u];
        for (var i = 1u; i < 16u; i++) {
            s += sums[t * 16u + i];
        }
        let out = (group.z * tile.n_features + column) * (tile.n_models / 4u) + group.y * 4u + t % 4u;
        partials4[out] += s;
    }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let d = tile.n_features;
    let lane = t % 32u;
    let column = group.x * 32u + (t / 64u) * 8u;
    let model = group.y * 16u + ((t / 32u) % 2u) * 8u;
    // Columns beyond the last one load the last one; they are never stored.
    let c0 = min(column + 0u, d - 1u) * 64u;
    let c1 = min(column + 1u, d - 1u) * 64u;
    let c2 = min(column + 2u, d - 1u) * 64u;
    let c3 = min(column + 3u, d - 1u) * 64u;
    let c4 = min(column + 4u, d - 1u) * 64u;
    let c5 = min(column + 5u, d - 1u) * 64u;
    let c6 = min(column + 6u, d - 1u) * 64u;
    let c7 = min(column + 7u, d - 1u) * 64u;
    var l0 = vec4(0.0);
    var h0 = vec4(0.0);
    var l1 = vec4(0.0);
    var h1 = vec4(0.0);
    var l2 = vec4(0.0);
    var h2 = vec4(0.0);
    var l3 = vec4(0.0);
    var h3 = vec4(0.0);
    var l4 = vec4(0.0);
    var h4 = vec4(0.0);
    var l5 = vec4(0.0);
    var h5 = vec4(0.0);
    var l6 = vec4(0.0);
    var h6 = vec4(0.0);
    var l7 = vec4(0.0);
    var h7 = vec4(0.0);
    let first = group.z * tile.chunk_panels;
    let end = min(first + tile.chunk_panels, tile.n_panels);
    for (var panel = first; panel < end; panel++) {
        for (var row = lane; row < 64u; row += 32u) {
            let at = (panel * tile.n_models + model) * 64u + row;
            let low = load_models(at);
            let high = load_models(at + 256u);
            let x = (tile.first_panel + panel * tile.stride) * d * 64u + row;
            let v0 = x4[x + c0];
            l0 += v0 * low;
            h0 += v0 * high;
            let v1 = x4[x + c1];
            l1 += v1 * low;
            h1 += v1 * high;
            let v2 = x4[x + c2];
            l2 += v2 * low;
            h2 += v2 * high;
            let v3 = x4[x + c3];
            l3 += v3 * low;
            h3 += v3 * high;
            let v4 = x4[x + c4];
            l4 += v4 * low;
            h4 += v4 * high;
            let v5 = x4[x + c5];
            l5 += v5 * low;
            h5 += v5 * high;
            let v6 = x4[x + c6];
            l6 += v6 * low;
            h6 += v6 * high;
            let v7 = x4[x + c7];
            l7 += v7 * low;
            h7 += v7 * high;
        }
    }
    fold(0u, group, t, l0, h0);
    fold(1u, group, t, l1, h1);
    fold(2u, group, t, l2, h2);
    fold(3u, group, t, l3, h3);
    fold(4u, group, t, l4, h4);
    fold(5u, group, t, l5, h5);
    fold(6u, group, t, l6, h6);
    fold(7u, group, t, l7, h7);
}

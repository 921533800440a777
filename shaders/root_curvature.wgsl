// Square root of each row's curvature for one model, over the panels of a sample.
//
//   z = X w + b;   root_i = sqrt(s_i p_i (1 - p_i)),   p_i = sigmoid(z_i)
//
// Shapes, with P panels of the sample in this buffer of X: x4 panels of 256 rows x d features, four rows a
// word; coefficients d + 1; roots4 P x 64 words of four rows.
//
// Work: workgroup = panel, invocation = four rows. Every load of X is a coalesced vec4.

@group(0) @binding(0) var<uniform> tile: Tile;
@group(0) @binding(1) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> row_label4: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> row_weight4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> coefficients: array<f32>;
@group(0) @binding(5) var<storage, read> models: array<Model>;
@group(0) @binding(6) var<storage, read_write> roots4: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let d = tile.n_features;
    let panel = tile.first_panel + group.x * tile.stride;
    var at = panel * d * 64u + t;
    var z = vec4(coefficients[d]);
    for (var j = 0u; j < d; j++) {
        z += x4[at] * coefficients[j];
        at += 64u;
    }
    let model = models[0];
    let row = panel * 64u + t;
    let label = row_label4[row];
    let positive = class_of(label) == vec4(model.class_index);
    let factor = select(vec4(model.negative_weight), vec4(model.positive_weight), positive);
    let held_out = is_held_out(label, vec4(model.held_first), vec4(model.held_span));
    let weight = select(row_weight4[row] * factor, vec4(0.0), held_out);
    // p (1 - p) = e / (1 + e)^2 with e = exp(-|z|), so that nothing cancels.
    let e = exp(-abs(z));
    let root = sqrt(weight * e) / (e + 1.0);
    // A row of weight 0 gives exactly 0, even if z has overflowed.
    roots4[group.x * 64u + t] = select(vec4(0.0), root, weight > vec4(0.0));
}

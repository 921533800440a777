// Residuals and losses of a block of rows for a block of models: a tiled product, with the loss in its
// epilogue.
//
//   z = X w + b;   r_im = s_im (sigmoid(z_im) - y_im);
//   totals += [sum_i r_im, sum_i s_im log(1 + exp(a_im))]
//
// Shapes, with P panels of a sample and M models (a multiple of 16) in the block: coefficients (d + 1) x M;
// residuals P x M x 256, rows contiguous; totals P x 2 x M, to which each panel adds its sums.
//
// Work: workgroup (p, g) = panel p, models 16 g .. 16 g + 16; invocation = 4 rows x 16 models, 64 sums in
// registers. A step of the loop loads one coalesced vec4 of X and four broadcast vec4 of w for 64
// multiply-adds, so X needs no staging in workgroup memory and the loop no barrier.

@group(0) @binding(0) var<uniform> tile: Tile;
@group(0) @binding(1) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> row_label4: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> row_weight4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> coefficients4: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> models: array<Model>;
@group(0) @binding(6) var<storage, read_write> residuals4: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> totals: array<f32>;

// [residual, loss] of 16 models x 64 invocations.
var<workgroup> sums: array<vec2<f32>, 1024>;

// The epilogue of model `k` of the group: writes residuals, and keeps the sums over the invocation's four
// rows.
fn finish(k: u32, group: vec3<u32>, t: u32, row_label: vec4<u32>, row_weight: vec4<f32>, z: vec4<f32>) {
    let m = group.y * 16u + k;
    let model = models[m];
    let positive = class_of(row_label) == vec4(model.class_index);
    let factor = select(vec4(model.negative_weight), vec4(model.positive_weight), positive);
    let held_out = is_held_out(row_label, vec4(model.held_first), vec4(model.held_span));
    let point = logistic(z, positive, select(row_weight * factor, vec4(0.0), held_out));
    residuals4[(group.x * tile.n_models + m) * 64u + t] = point.residual;
    sums[k * 64u + t] = vec2(dot(point.residual, vec4(1.0)), dot(point.loss, vec4(1.0)));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let d = tile.n_features;
    let stride = tile.n_models / 4u;
    let panel = tile.first_panel + group.x * tile.stride;
    var at = panel * d * 64u + t;
    var w = group.y * 4u;
    let bias = d * stride + group.y * 4u;
    let b0 = coefficients4[bias + 0u];
    let b1 = coefficients4[bias + 1u];
    let b2 = coefficients4[bias + 2u];
    let b3 = coefficients4[bias + 3u];
    var z0x = vec4(b0.x);
    var z0y = vec4(b0.y);
    var z0z = vec4(b0.z);
    var z0w = vec4(b0.w);
    var z1x = vec4(b1.x);
    var z1y = vec4(b1.y);
    var z1z = vec4(b1.z);
    var z1w = vec4(b1.w);
    var z2x = vec4(b2.x);
    var z2y = vec4(b2.y);
    var z2z = vec4(b2.z);
    var z2w = vec4(b2.w);
    var z3x = vec4(b3.x);
    var z3y = vec4(b3.y);
    var z3z = vec4(b3.z);
    var z3w = vec4(b3.w);
    for (var j = 0u; j < d; j++) {
        let v = x4[at];
        let w0 = coefficients4[w + 0u];
        let w1 = coefficients4[w + 1u];
        let w2 = coefficients4[w + 2u];
        let w3 = coefficients4[w + 3u];
        z0x += v * w0.x;
        z0y += v * w0.y;
        z0z += v * w0.z;
        z0w += v * w0.w;
        z1x += v * w1.x;
        z1y += v * w1.y;
        z1z += v * w1.z;
        z1w += v * w1.w;
        z2x += v * w2.x;
        z2y += v * w2.y;
        z2z += v * w2.z;
        z2w += v * w2.w;
        z3x += v * w3.x;
        z3y += v * w3.y;
        z3z += v * w3.z;
        z3w += v * w3.w;
        at += 64u;
        w += stride;
    }
    let row = panel * 64u + t;
    let row_label = row_label4[row];
    let row_weight = row_weight4[row];
    finish(0u, group, t, row_label, row_weight, z0x);
    finish(1u, group, t, row_label, row_weight, z0y);
    finish(2u, group, t, row_label, row_weight, z0z);
    finish(3u, group, t, row_label, row_weight, z0w);
    finish(4u, group, t, row_label, row_weight, z1x);
    finish(5u, group, t, row_label, row_weight, z1y);
    finish(6u, group, t, row_label, row_weight, z1z);
    finish(7u, group, t, row_label, row_weight, z1w);
    finish(8u, group, t, row_label, row_weight, z2x);
    finish(9u, group, t, row_label, row_weight, z2y);
    finish(10u, group, t, row_label, row_weight, z2z);
    finish(11u, group, t, row_label, row_weight, z2w);
    finish(12u, group, t, row_label, row_weight, z3x);
    finish(13u, group, t, row_label, row_weight, z3y);
    finish(14u, group, t, row_label, row_weight, z3z);
    finish(15u, group, t, row_label, row_weight, z3w);

    // Model t / 4 of the group: four invocations add a quarter of its 64 sums each, then one adds the
    // quarters.
    workgroupBarrier();
    let first = (t / 4u) * 64u + t % 4u;
    var s = vec2(0.0);
    for (var i = 0u; i < 64u; i += 4u) {
        s += sums[first + i];
    }
    workgroupBarrier();
    sums[t] = s;
    workgroupBarrier();
    if t < 16u {
        let total = sums[4u * t] + sums[4u * t + 1u] + sums[4u * t + 2u] + sums[4u * t + 3u];
        let out = group.x * 2u * tile.n_models + group.y * 16u + t;
        totals[out] += total.x;
        totals[out + tile.n_models] += total.y;
    }
}

// Change of the residual from the snapshot w~ to the coupled point y, for the rows of a batch.
//
//   z = x . w~;   dz = x . (y - w~);   r_i = s_i [sigmoid(z + dz) - sigmoid(z)]
//
// Shapes: snapshot and delta = y - w~ are (d + 1) x n_quads, each of four models; residuals n_quads x batch
// rows. x is read once for both predictors. With p = sigmoid(z) and q = sigmoid(z + dz), the difference of
// the sigmoids is computed as tanh(dz / 2) (p + q - 2 p q), where nothing cancels: it stays accurate as y
// approaches w~.
//
// Work: invocation = one row of the batch x four models. Neighbouring invocations have neighbouring rows.

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> row_label: array<u32>;
@group(0) @binding(3) var<storage, read> row_weight: array<f32>;
@group(0) @binding(4) var<storage, read> panel_order: array<u32>;
@group(0) @binding(5) var<storage, read> quads: array<Quad>;
@group(0) @binding(6) var<storage, read> snapshot: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> delta: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> residuals: array<vec4<f32>>;

// tanh(h). A series gives relative accuracy for small h, where the exponentials would cancel.
fn tanh_small(h: vec4<f32>) -> vec4<f32> {
    let q = h * h;
    let series = h * (1.0 + q * (-1.0 / 3.0 + q * (2.0 / 15.0 + q * (-17.0 / 315.0 + q * (62.0 / 2835.0)))));
    let e = exp(-2.0 * abs(h));
    return select(series, sign(h) * (1.0 - e) / (1.0 + e), abs(h) > vec4(0.3));
}

// [sigmoid(-z), sigmoid(z)], without overflow.
fn sigmoids(z: vec4<f32>) -> array<vec4<f32>, 2> {
    let e = exp(-abs(z));
    let small = e / (1.0 + e);
    let large = 1.0 / (1.0 + e);
    let up = z >= vec4(0.0);
    return array(select(large, small, up), select(small, large, up));
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let i = (group.x + group.y * groups.x) * 64u + t;
    if i >= step.n_rows {
        return;
    }
    let at = place(step, panel_order[(step.start + i) / 256u], step.start + i);
    if !at.here {
        return;
    }
    let d = step.n_features;
    let first = at.panel * d * 256u + at.lane;
    let bias = d * step.n_quads + group.z;
    var z = snapshot[bias];
    var dz = delta[bias];
    var w = group.z;
    for (var j = 0u; j < d; j++) {
        let v = x[first + j * 256u];
        z += v * snapshot[w];
        dz += v * delta[w];
        w += step.n_quads;
    }
    let quad = quads[group.z];
    let row = at.panel * 256u + at.lane;
    let label = vec4(row_label[row]);
    let positive = quad.class_index == class_of(label);
    let factor = select(quad.negative_weight, quad.positive_weight, positive);
    let weight = select(row_weight[row] * factor, vec4(0.0), is_held_out(label, quad.held_first, quad.held_span));
    let p = sigmoids(z);
    let q = sigmoids(z + dz);
    let r = weight * tanh_small(0.5 * dz) * (p[0] * q[1] + p[1] * q[0]);
    residuals[group.z * step.n_rows + i] = select(vec4(0.0), r, weight > vec4(0.0));
}

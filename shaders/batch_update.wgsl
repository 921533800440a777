// Gradient of a batch, second stage, and the proximal step.
//
//   g = mu + scale (1/S) sum_c partials[c];   x <- prox(x - eta g);   total += x;   delta <- theta (x - w~)
//
// prox: soft threshold at eta l1, then division by 1 + eta l2; the intercept is not penalised.
// scale = n / n_B, the rows of the table per row of the batch.
//
// Shapes: partials n_partials x (d + 1) x n_quads, everything else (d + 1) x n_quads, each of four models.
//
// Work: invocation = one coefficient of four models. Partial sums are added in order.

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> quads: array<Quad>;
@group(0) @binding(2) var<storage, read> full_gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> snapshot: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> iterate: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> delta: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> total: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let at = (group.x + group.y * groups.x) * 64u + t;
    let length = (step.n_features + 1u) * step.n_quads;
    if at >= length {
        return;
    }
    let quad = quads[at % step.n_quads];
    var s = vec4(0.0);
    for (var c = 0u; c < step.n_partials; c++) {
        s += partials[c * length + at];
    }
    let g = full_gradient[at] + step.scale * quad.inverse_weight_sum * s;
    let before = iterate[at];
    var v = before - quad.step * g;
    if at < step.n_features * step.n_quads {
        v = sign(v) * max(abs(v) - quad.step * quad.l1, vec4(0.0)) / (1.0 + quad.step * quad.l2);
    } else if step.trains_intercept == 0u {
        v = before;
    }
    iterate[at] = v;
    delta[at] = quad.coupling * (v - snapshot[at]);
    total[at] += v;
}

// Gradient of a batch, first stage: partial sums over chunks of rows, added in a fixed order.
//
//   partials[c] = sum_{i in chunk c} r_i [x_i, 1]
//
// Shapes: residuals n_quads x batch rows, each of four models; partials n_partials x (d + 1) x n_quads.
// This buffer of X writes its partials from index partials_at on. Rows in other buffers count as 0 here.
//
// Work: workgroup (a, q, c) = columns 32 a .. + 32 (column d is the intercept), quad q, chunk c; its 256
// invocations are 8 tiles of 4 columns by 32 lanes along the rows, so loads of x and r are coalesced.

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> panel_order: array<u32>;
@group(0) @binding(3) var<storage, read> residuals: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4<f32>>;

var<workgroup> sums: array<vec4<f32>, 1024>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let d = step.n_features;
    let lane = t % 32u;
    let column = group.x * 32u + (t / 32u) * 4u;
    // Columns beyond the last one read the last one. The intercept's value is 1.
    let last = max(d, 1u) - 1u;
    let c0 = min(column, last) * 256u;
    let c1 = min(column + 1u, last) * 256u;
    let c2 = min(column + 2u, last) * 256u;
    let c3 = min(column + 3u, last) * 256u;
    let ones = vec4(column, column + 1u, column + 2u, column + 3u) >= vec4(d);
    var s0 = vec4(0.0);
    var s1 = vec4(0.0);
    var s2 = vec4(0.0);
    var s3 = vec4(0.0);
    let end = min((group.z + 1u) * step.chunk_rows, step.n_rows);
    for (var i = group.z * step.chunk_rows + lane; i < end; i += 32u) {
        let at = place(step, panel_order[(step.start + i) / 256u], step.start + i);
        if at.here {
            let r = residuals[group.y * step.n_rows + i];
            let first = at.panel * d * 256u + at.lane;
            let v = select(vec4(x[first + c0], x[first + c1], x[first + c2], x[first + c3]), vec4(1.0), ones);
            s0 += v.x * r;
            s1 += v.y * r;
            s2 += v.z * r;
            s3 += v.w * r;
        }
    }

    // Stored column by column, so that neighbouring invocations write neighbouring words.
    sums[t] = s0;
    sums[256u + t] = s1;
    sums[512u + t] = s2;
    sums[768u + t] = s3;
    workgroupBarrier();
    // 32 columns with eight invocations each: each adds four lanes, then one adds the eight sums.
    let tile = t / 32u;
    let k = (t / 8u) % 4u;
    let at = k * 256u + tile * 32u + (t % 8u) * 4u;
    let part = sums[at] + sums[at + 1u] + sums[at + 2u] + sums[at + 3u];
    workgroupBarrier();
    sums[t] = part;
    workgroupBarrier();
    let out = group.x * 32u + t;
    if t < 32u && out <= d {
        var s = sums[t * 8u];
        for (var i = 1u; i < 8u; i++) {
            s += sums[t * 8u + i];
        }
        partials[(step.partials_at + group.z) * (d + 1u) * step.n_quads + out * step.n_quads + group.y] = s;
    }
}

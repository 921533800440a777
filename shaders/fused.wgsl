// Loss and gradient of one or four models, with X read once from device memory.
//
//   z = X w + b;   loss = sum_i s_i log(1 + exp(a_i));
//   gradient = [X, 1]' r,   r_i = s_i (sigmoid(z_i) - y_i)
//
// Shapes: x4 is panels of 256 rows x d features, column-major, four rows a word; coefficients
// (d + 1) x Lanes; partials n_workgroups x (d + 2) x Lanes: gradient, intercept, loss.
//
// Work: a workgroup takes every n_workgroups-th of the n_panels panels, which lie stride apart. Its 64
// invocations are 4 groups of 16. A group takes every 4th column; each of its invocations takes 16 of the
// 256 rows, for the score and for the gradient alike. So a column is read as one run of 1 KiB, four
// independent vec4 per invocation, and an invocation reads the same values twice, the second time from the
// cache. In between, the groups' partial scores are added through workgroup memory, with three barriers per
// panel. Sums over panels are private to an invocation (`sums`, free of bank conflicts); they are added up
// once, at the end.

struct Fused {
    n_features: u32,
    n_panels: u32,
    n_workgroups: u32,
    coefficients_at: u32,
    partials_at: u32,
    first_panel: u32,
    stride: u32,
    pad: u32,
    classes: vec4<u32>,
    positive_weight: vec4<f32>,
    negative_weight: vec4<f32>,
    held_first: vec4<u32>,
    held_span: vec4<u32>,
}

@group(0) @binding(0) var<uniform> task: Fused;
@group(0) @binding(1) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> row_label4: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> row_weight4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> coefficients: array<Lanes>;
@group(0) @binding(5) var<storage, read_write> partials: array<Lanes>;

// 16 sums per column, with the number of columns rounded up to a multiple of 16.
override SUMS: u32;

var<workgroup> sums: array<Lanes, SUMS>;
// The four rows of a word lie 64 apart, so that neighbouring invocations use neighbouring banks: row 4 w + i
// is at 64 i + w. Residuals overwrite the first group's partial scores.
var<workgroup> parts: array<Lanes, 1024>;

fn evaluate(z: Lanes, row_label: u32, row_weight: f32) -> Point {
    let label = Classes(row_label);
    let positive = class_lanes(task.classes) == class_of(label);
    let weight = row_weight * select(lanes(task.negative_weight), lanes(task.positive_weight), positive);
    let held_out = is_held_out(label, class_lanes(task.held_first), class_lanes(task.held_span));
    return logistic(z, positive, select(weight, Lanes(0.0), held_out));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let d = task.n_features;
    let group = t / 16u;
    let lane = t % 16u;
    for (var c = group; c < d; c += 4u) {
        sums[c * 16u + lane] = Lanes(0.0);
    }
    var loss = Lanes(0.0);
    var bias = Lanes(0.0);
    for (var k = workgroup.x; k < task.n_panels; k += task.n_workgroups) {
        let panel = task.first_panel + k * task.stride;
        let first = panel * d * 64u + lane;
        var z0 = Lanes(0.0);
        var z1 = Lanes(0.0);
        var z2 = Lanes(0.0);
        var z3 = Lanes(0.0);
        var z4 = Lanes(0.0);
        var z5 = Lanes(0.0);
        var z6 = Lanes(0.0);
        var z7 = Lanes(0.0);
        var z8 = Lanes(0.0);
        var z9 = Lanes(0.0);
        var z10 = Lanes(0.0);
        var z11 = Lanes(0.0);
        var z12 = Lanes(0.0);
        var z13 = Lanes(0.0);
        var z14 = Lanes(0.0);
        var z15 = Lanes(0.0);
        for (var c = group; c < d; c += 4u) {
            let word = first + c * 64u;
            let a = x4[word];
            let b = x4[word + 16u];
            let e = x4[word + 32u];
            let f = x4[word + 48u];
            let w = coefficients[task.coefficients_at + c];
            z0 += a.x * w;
            z1 += a.y * w;
            z2 += a.z * w;
            z3 += a.w * w;
            z4 += b.x * w;
            z5 += b.y * w;
            z6 += b.z * w;
            z7 += b.w * w;
            z8 += e.x * w;
            z9 += e.y * w;
            z10 += e.z * w;
            z11 += e.w * w;
            z12 += f.x * w;
            z13 += f.y * w;
            z14 += f.z * w;
            z15 += f.w * w;
        }
        let part = group * 256u + lane;
        parts[part] = z0;
        parts[part + 64u] = z1;
        parts[part + 128u] = z2;
        parts[part + 192u] = z3;
        parts[part + 16u] = z4;
        parts[part + 64u + 16u] = z5;
        parts[part + 128u + 16u] = z6;
        parts[part + 192u + 16u] = z7;
        parts[part + 32u] = z8;
        parts[part + 64u + 32u] = z9;
        parts[part + 128u + 32u] = z10;
        parts[part + 192u + 32u] = z11;
        parts[part + 48u] = z12;
        parts[part + 64u + 48u] = z13;
        parts[part + 128u + 48u] = z14;
        parts[part + 192u + 48u] = z15;
        workgroupBarrier();

        let row_label = row_label4[panel * 64u + t];
        let weight = row_weight4[panel * 64u + t];
        let intercept = coefficients[task.coefficients_at + d];
        for (var i = 0u; i < 4u; i++) {
            let own = i * 64u + t;
            let z = intercept + ((parts[own] + parts[256u + own]) + (parts[512u + own] + parts[768u + own]));
            let p = evaluate(z, row_label[i], weight[i]);
            loss += p.loss;
            bias += p.residual;
            parts[own] = p.residual;
        }
        workgroupBarrier();

        let r0 = parts[lane];
        let r1 = parts[lane + 64u];
        let r2 = parts[lane + 128u];
        let r3 = parts[lane + 192u];
        let r4 = parts[lane + 16u];
        let r5 = parts[lane + 80u];
        let r6 = parts[lane + 144u];
        let r7 = parts[lane + 208u];
        let r8 = parts[lane + 32u];
        let r9 = parts[lane + 96u];
        let r10 = parts[lane + 160u];
        let r11 = parts[lane + 224u];
        let r12 = parts[lane + 48u];
        let r13 = parts[lane + 112u];
        let r14 = parts[lane + 176u];
        let r15 = parts[lane + 240u];
        workgroupBarrier();
        for (var c = group; c < d; c += 4u) {
            let word = first + c * 64u;
            let a = x4[word];
            let b = x4[word + 16u];
            let e = x4[word + 32u];
            let f = x4[word + 48u];
            var s = a.x * r0 + a.y * r1 + a.z * r2 + a.w * r3;
            s += b.x * r4 + b.y * r5 + b.z * r6 + b.w * r7;
            s += e.x * r8 + e.y * r9 + e.z * r10 + e.w * r11;
            s += f.x * r12 + f.y * r13 + f.z * r14 + f.w * r15;
            sums[c * 16u + lane] += s;
        }
    }

    workgroupBarrier();
    let out = task.partials_at + workgroup.x * (d + 2u);
    for (var c = t; c < d; c += 64u) {
        var s = Lanes(0.0);
        for (var k = 0u; k < 16u; k++) {
            s += sums[c * 16u + k];
        }
        partials[out + c] = s;
    }
    parts[t] = bias;
    parts[64u + t] = loss;
    for (var width = 32u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if t < width {
            parts[t] += parts[t + width];
            parts[64u + t] += parts[64u + t + width];
        }
    }
    if t == 0u {
        partials[out + d] = parts[0];
        partials[out + d + 1u] = parts[64];
    }
}

// Hessian of one model over the panels of a sample, as a tiled product: partials += [X, 1]' D [X, 1].
//
// Shapes, with P panels of the sample in this buffer of X: roots4 P x 64 words of four rows, the square
// root of D; partials n_chunks x order x order, order = d + 1 with the intercept last. Chunk c adds the
// panels c * chunk_panels .. + chunk_panels of the sample. Only tiles that touch the upper triangle are
// written.
//
// Work: workgroup (i, j, c) = rows 32 i .. + 32 and columns 32 j .. + 32 of the matrix, chunk c. Its 64
// invocations load 64 rows of both runs of 32 features into workgroup memory, scaled by the roots. Each
// invocation holds 4 x 4 sums: 8 words feed 64 multiply-adds.

@group(0) @binding(0) var<uniform> tile: Tile;
@group(0) @binding(1) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> roots4: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;

// [word of four rows][feature]
var<workgroup> left: array<vec4<f32>, 512>;
var<workgroup> right: array<vec4<f32>, 512>;

fn load(feature: u32, panel: u32, word: u32, root: vec4<f32>) -> vec4<f32> {
    if feature < tile.n_features {
        return x4[(panel * tile.n_features + feature) * 64u + word] * root;
    }
    // The intercept's ones, then padding.
    return select(vec4(0.0), root, feature == tile.n_features);
}

fn row_of_products(a: vec4<f32>, b0: vec4<f32>, b1: vec4<f32>, b2: vec4<f32>, b3: vec4<f32>) -> vec4<f32> {
    return vec4(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3));
}

fn store(group: vec3<u32>, row: u32, column: u32, sums: vec4<f32>) {
    let order = tile.n_features + 1u;
    for (var k = 0u; k < 4u; k++) {
        if row < order && column + k < order {
            partials[(group.z * order + row) * order + column + k] += sums[k];
        }
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    if group.y < group.x {
        return;
    }
    let row = (t / 8u) * 4u;
    let column = (t % 8u) * 4u;
    var s0 = vec4(0.0);
    var s1 = vec4(0.0);
    var s2 = vec4(0.0);
    var s3 = vec4(0.0);
    let first = group.z * tile.chunk_panels;
    let last = min(first + tile.chunk_panels, tile.n_panels);
    for (var k = first; k < last; k++) {
        let panel = tile.first_panel + k * tile.stride;
        for (var quarter = 0u; quarter < 4u; quarter++) {
            workgroupBarrier();
            for (var i = t; i < 512u; i += 64u) {
                let feature = i / 16u;
                let word = i % 16u;
                let root = roots4[k * 64u + quarter * 16u + word];
                left[word * 32u + feature] = load(group.x * 32u + feature, panel, quarter * 16u + word, root);
                right[word * 32u + feature] = load(group.y * 32u + feature, panel, quarter * 16u + word, root);
            }
            workgroupBarrier();
            for (var word = 0u; word < 16u; word++) {
                let a = word * 32u + row;
                let b = word * 32u + column;
                let b0 = right[b];
                let b1 = right[b + 1u];
                let b2 = right[b + 2u];
                let b3 = right[b + 3u];
                s0 += row_of_products(left[a], b0, b1, b2, b3);
                s1 += row_of_products(left[a + 1u], b0, b1, b2, b3);
                s2 += row_of_products(left[a + 2u], b0, b1, b2, b3);
                s3 += row_of_products(left[a + 3u], b0, b1, b2, b3);
            }
        }
    }
    store(group, group.x * 32u + row, group.y * 32u + column, s0);
    store(group, group.x * 32u + row + 1u, group.y * 32u + column, s1);
    store(group, group.x * 32u + row + 2u, group.y * 32u + column, s2);
    store(group, group.x * 32u + row + 3u, group.y * 32u + column, s3);
}

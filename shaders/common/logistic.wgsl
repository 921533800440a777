// Logistic loss and residual, in forms that neither overflow nor cancel:
//
//   a = -z where y = 1, z where y = 0
//   loss     = log(1 + exp(a)) = max(a, 0) + log1p(exp(-|a|))
//   residual = sigmoid(z) - y  = sigmoid(a), negated where y = 1
//
// A row of weight 0 gives exactly 0, even if z has overflowed.

struct Point {
    loss: Lanes,
    residual: Lanes,
}

// log(1 + e) for e in [0, 1], as 2 atanh(u), u = e / (2 + e) <= 1/3. It stays accurate for tiny e, where
// log(1.0 + e) would be 0. The first omitted term of the series, u^16 / 17, is below 2^-24.
fn log1p(e: Lanes) -> Lanes {
    let u = e / (e + 2.0);
    let q = u * u;
    var s = Lanes(1.0 / 15.0);
    s = s * q + 1.0 / 13.0;
    s = s * q + 1.0 / 11.0;
    s = s * q + 1.0 / 9.0;
    s = s * q + 1.0 / 7.0;
    s = s * q + 1.0 / 5.0;
    s = s * q + 1.0 / 3.0;
    s = s * q + 1.0;
    return 2.0 * u * s;
}

fn logistic(z: Lanes, positive: Flags, weight: Lanes) -> Point {
    let a = select(z, -z, positive);
    let e = exp(-abs(a));
    let sigmoid = select(e, Lanes(1.0), a >= Lanes(0.0)) / (e + 1.0);
    let counts = weight > Lanes(0.0);
    let loss = weight * (max(a, Lanes(0.0)) + log1p(e));
    let residual = weight * select(sigmoid, -sigmoid, positive);
    return Point(select(Lanes(0.0), loss, counts), select(Lanes(0.0), residual, counts));
}

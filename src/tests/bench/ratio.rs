//! A ratio measured several times.

#[derive(Default)]
pub struct Ratio(Vec<f64>);

impl Ratio {
    pub fn add(&mut self, this: f64, that: f64) {
        self.0.push(this / that);
    }

    pub fn print(mut self, what: &str, must: &str) {
        self.0.sort_by(f64::total_cmp);
        let (low, high) = (self.0[0], self.0[self.0.len() - 1]);
        let median = self.0[self.0.len() / 2];
        println!("{what:<44} {median:.2} ({low:.2}–{high:.2}; must be {must})");
    }
}

/// The middle one.
pub fn median(all: &[f64]) -> f64 {
    let mut sorted = all.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// How probable it is that two samples of one distribution lie this far apart or farther: Mann and Whitney's U, two-sided,
/// by the normal approximation, which is exact enough from twenty values on. Times in nanoseconds hardly ever tie.
pub fn rank_test(a: &[f64], b: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = a.iter().map(|value| (*value, true)).collect();
    all.extend(b.iter().map(|value| (*value, false)));
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let ranks: f64 = (1_u32..)
        .zip(&all)
        .filter(|(_, (_, is_a))| *is_a)
        .map(|(rank, _)| f64::from(rank))
        .sum();
    let (n, m) = (a.len() as f64, b.len() as f64);
    let u = ranks - n * (n + 1.0) / 2.0;
    let spread = (n * m * (n + m + 1.0) / 12.0).sqrt();
    2.0 * above((u - n * m / 2.0).abs() / spread)
}

/// The share of the normal distribution above `z` (Abramowitz and Stegun 26.2.17, error below 1e-7).
fn above(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let series = [
        1.330_274_429,
        -1.821_255_978,
        1.781_477_937,
        -0.356_563_782,
        0.319_381_530,
    ];
    let sum = series.into_iter().fold(0.0, |sum, factor| (sum + factor) * t);
    (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt() * sum
}

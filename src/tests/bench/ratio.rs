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

//! Ratios of paired runs.

use std::time::{Duration, Instant};

/// What a paired measurement found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// The median time of the first closure.
    pub first: Duration,
    /// The median time of the second closure.
    pub second: Duration,
    /// The median of the ratios first / second, pair by pair.
    pub ratio: f64,
}

/// Runs both closures in turn, `n_pairs` times after one unmeasured pair, and compares them.
///
/// Alternating the two makes slow drifts of the machine cancel out; every second pair runs in the
/// other order.
pub fn paired<A, B>(
    n_pairs: usize,
    mut first: impl FnMut() -> A,
    mut second: impl FnMut() -> B,
) -> Paired {
    first();
    second();
    let mut firsts = Vec::new();
    let mut seconds = Vec::new();
    let mut ratios = Vec::new();
    for pair in 0..n_pairs.max(1) {
        let (a, b) = if pair % 2 == 0 {
            let a = time(&mut first);
            (a, time(&mut second))
        } else {
            let b = time(&mut second);
            (time(&mut first), b)
        };
        firsts.push(a);
        seconds.push(b);
        ratios.push(a.as_secs_f64() / b.as_secs_f64());
    }
    firsts.sort_unstable();
    seconds.sort_unstable();
    ratios.sort_unstable_by(f64::total_cmp);
    let middle = ratios.len() / 2;
    Paired {
        first: firsts[middle],
        second: seconds[middle],
        ratio: ratios[middle],
    }
}

/// The exponent `e` of the least-squares fit `cost = c * size^e`; 1 means linear growth.
pub fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .map(|(size, cost)| (size.ln(), cost.ln()))
        .collect();
    let n = logs.len() as f64;
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / n;
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}

fn time<T>(run: &mut impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    std::hint::black_box(run());
    start.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponent_of_a_power_is_found() {
        let points: Vec<(f64, f64)> = [1.0, 10.0, 50.0]
            .iter()
            .map(|size: &f64| (*size, 3.0 * size.powf(1.5)))
            .collect();
        assert!((exponent(&points) - 1.5).abs() < 1e-9);
    }

    #[test]
    fn slow_over_fast_is_more_than_one() {
        let mut order = Vec::new();
        let slow = || std::thread::sleep(Duration::from_millis(4));
        let found = paired(3, slow, || order.push(()));
        assert!(found.ratio > 1.0);
        assert_eq!(order.len(), 4);
    }
}

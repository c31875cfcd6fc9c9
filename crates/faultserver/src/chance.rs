//! Random draws that depend on the request and not on time, so that runs are reproducible although
//! their requests race.

/// A pseudo-random number in 0..1, a function of `parts`.
pub(crate) fn unit(parts: &[&[u8]]) -> f64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    unit_of(bytes)
}

/// Eight random bytes as a number in 0..1.
pub(crate) fn unit_of(bytes: [u8; 8]) -> f64 {
    (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::unit;

    #[test]
    fn draws_are_spread_evenly_and_repeat() {
        let draws: Vec<f64> = (0..10_000_u64).map(|n| unit(&[&n.to_le_bytes()])).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let below = draws.iter().filter(|u| **u < 0.3).count();
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        assert!((2_800..3_200).contains(&below), "{below}");
        assert_eq!(draws[7].to_bits(), unit(&[&7_u64.to_le_bytes()]).to_bits());
    }

    #[test]
    fn boundaries_of_parts_matter() {
        assert_ne!(
            unit(&[b"ab", b"c"]).to_bits(),
            unit(&[b"a", b"bc"]).to_bits()
        );
    }
}

//! Numbers that a seed repeats (xorshift64*). No secret depends on them.

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // Not zero, and unlike for seeds that are near each other.
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `most`.
    pub fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        mixed as usize % most
    }

    /// Puts a list into another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}

#[test]
fn a_seed_repeats_its_numbers_and_another_has_others() {
    let ten = |seed| {
        let mut random = Random::new(seed);
        (0..10).map(|_| random.below(1_000)).collect::<Vec<_>>()
    };
    assert_eq!(ten(1), ten(1));
    assert_ne!(ten(1), ten(2));
    let mut list = [1, 2, 3, 4, 5];
    Random::new(3).shuffle(&mut list);
    list.sort_unstable();
    assert_eq!(list, [1, 2, 3, 4, 5]);
}

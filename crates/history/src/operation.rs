//! Operations and their times.

/// A moment of the test's own clock: the nanoseconds since its beginning. All clients of a test share that clock.
pub type Moment = u64;

/// What one client asked, and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<C, A> {
    pub call: C,
    /// When the call was sent.
    pub called: Moment,
    /// The answer and when it had come; `None` if none came, so that nobody knows whether the call took effect, nor when.
    pub answer: Option<(A, Moment)>,
}

impl<C, A> Operation<C, A> {
    /// An operation that was answered.
    pub fn answered(call: C, called: Moment, answer: A, at: Moment) -> Self {
        Self { call, called, answer: Some((answer, at)) }
    }

    /// An operation without an answer.
    pub fn unanswered(call: C, called: Moment) -> Self {
        Self { call, called, answer: None }
    }

    /// When it had ended; without an answer, never.
    pub fn ended(&self) -> Moment {
        self.answer.as_ref().map_or(Moment::MAX, |(_, at)| *at)
    }
}

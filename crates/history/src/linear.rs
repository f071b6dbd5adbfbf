//! Whether a history is linearizable: whether its operations have an order in which each happens at one moment between
//! its call and its answer, and each answer is the one that the object gives then.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;

use crate::operation::Operation;

/// What an object does, if its calls come one after another.
pub trait Model {
    type State: Clone + Eq + Hash;
    type Call: Clone + Debug;
    type Answer: Clone + Debug;

    /// The object before the first call.
    fn first(&self) -> Self::State;

    /// The state after a call that is answered so; `None` if the object does not answer so in this state. `answer` is
    /// `None` for a call whose answer is unknown: then the state after its effect.
    fn step(
        &self,
        state: &Self::State,
        call: &Self::Call,
        answer: Option<&Self::Answer>,
    ) -> Option<Self::State>;

    /// Whether this answer can be given neither in this state nor in any that may follow it.
    fn is_past(&self, _state: &Self::State, _call: &Self::Call, _answer: &Self::Answer) -> bool {
        false
    }

    /// Whether two calls without an answer have the same effect, whenever it is that they happen: then one of them is tried.
    fn are_alike(&self, _one: &Self::Call, _other: &Self::Call) -> bool {
        false
    }
}

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Linearizable,
    /// There is no order. `ordered` is the longest beginning of one, as places in the history; `stuck` are the operations
    /// one of which had to be next.
    Violated {
        ordered: Vec<usize>,
        stuck: Vec<usize>,
    },
    /// The search was given up.
    Undecided,
}

/// Steps after which a search is given up. A search of a thousand operations of ten clients takes some thousands.
const STEPS_MAX: usize = 5_000_000;

/// Searches for an order of a history.
pub fn check<M: Model>(model: &M, history: &[Operation<M::Call, M::Answer>]) -> Verdict {
    Search {
        model,
        history,
        done: Done::of(history.len()),
        tried: HashSet::new(),
        order: Vec::new(),
        longest: Vec::new(),
    }
    .run()
}

/// A set of places in the history.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Done(Vec<u64>);

impl Done {
    fn of(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)])
    }

    fn has(&self, place: usize) -> bool {
        self.0[place / 64] & (1 << (place % 64)) != 0
    }

    fn flip(&mut self, place: usize) {
        self.0[place / 64] ^= 1 << (place % 64);
    }
}

struct Search<'a, M: Model> {
    model: &'a M,
    history: &'a [Operation<M::Call, M::Answer>],
    done: Done,
    /// What was reached already: the operations that are done, and the state after them.
    tried: HashSet<(Done, M::State)>,
    order: Vec<usize>,
    longest: Vec<usize>,
}

/// A point of the search: the state, the operations that may be next, and how many of them were tried.
struct Point<S> {
    state: S,
    next: Vec<usize>,
    tried: usize,
}

impl<M: Model> Search<'_, M> {
    fn run(mut self) -> Verdict {
        let state = self.model.first();
        let next = self.worth_trying(&state);
        let mut path = vec![Point { state, next, tried: 0 }];
        for _ in 0..STEPS_MAX {
            if self.is_complete() {
                return Verdict::Linearizable;
            }
            let Some(point) = path.last_mut() else { return self.violated() };
            let Some(place) = point.next.get(point.tried).copied() else {
                path.pop();
                if let Some(place) = self.order.pop() {
                    self.done.flip(place);
                }
                continue;
            };
            point.tried += 1;
            let Some(state) = self.step(&point.state, place) else { continue };
            self.done.flip(place);
            if !self.tried.insert((self.done.clone(), state.clone())) {
                self.done.flip(place);
                continue;
            }
            self.order.push(place);
            if self.order.len() > self.longest.len() {
                self.longest.clone_from(&self.order);
            }
            let next = self.worth_trying(&state);
            path.push(Point { state, next, tried: 0 });
        }
        Verdict::Undecided
    }

    fn step(&self, state: &M::State, place: usize) -> Option<M::State> {
        let operation = &self.history[place];
        let answer = operation.answer.as_ref().map(|(answer, _)| answer);
        self.model.step(state, &operation.call, answer)
    }

    /// The candidates that may lead further. One that changes nothing goes alone, because it can only be in the way of others
    /// later; without an answer it need not happen at all. Of those that are alike one is enough.
    fn worth_trying(&self, state: &M::State) -> Vec<usize> {
        if self.is_stuck(state) {
            return Vec::new();
        }
        let (idle, others): (Vec<usize>, Vec<usize>) =
            self.candidates().into_iter().partition(|place| self.step(state, *place).as_ref() == Some(state));
        if let Some(idle) = idle.into_iter().find(|place| self.history[*place].answer.is_some()) {
            return vec![idle];
        }
        let mut chosen: Vec<usize> = Vec::new();
        for place in others {
            if !chosen.iter().any(|other| self.are_alike(place, *other)) {
                chosen.push(place);
            }
        }
        chosen
    }

    /// Whether an answer that is left can't be given any more.
    fn is_stuck(&self, state: &M::State) -> bool {
        let left = self.history.iter().enumerate().filter(|(place, _)| !self.done.has(*place));
        let mut answered =
            left.filter_map(|(_, operation)| Some((&operation.call, &operation.answer.as_ref()?.0)));
        answered.any(|(call, answer)| self.model.is_past(state, call, answer))
    }

    fn are_alike(&self, one: usize, other: usize) -> bool {
        let [one, other] = [one, other].map(|place| &self.history[place]);
        let are_lost = one.answer.is_none() && other.answer.is_none();
        are_lost && self.model.are_alike(&one.call, &other.call)
    }

    /// Whether all answered operations are done. One without an answer need not have happened.
    fn is_complete(&self) -> bool {
        let mut answered =
            self.history.iter().enumerate().filter(|(_, operation)| operation.answer.is_some());
        answered.all(|(place, _)| self.done.has(place))
    }

    /// The operations that may be next: none that was called after another, which is not done, had ended. Those that end
    /// first are tried first, and those without an answer last.
    fn candidates(&self) -> Vec<usize> {
        let left = || (0..self.history.len()).filter(|place| !self.done.has(*place));
        let first_end = left().map(|place| self.history[place].ended()).min().unwrap_or(0);
        let mut next: Vec<usize> = left().filter(|place| self.history[*place].called <= first_end).collect();
        next.sort_by_key(|place| self.history[*place].ended());
        next
    }

    fn violated(mut self) -> Verdict {
        self.done = Done::of(self.history.len());
        for place in self.longest.clone() {
            self.done.flip(place);
        }
        Verdict::Violated { stuck: self.candidates(), ordered: self.longest }
    }
}

// How long is waited for what.

export const WAIT_FIRST = 500;
export const WAIT_MAX = 15_000;
/** How long an answer may take. A request that is lost with the network must not hold up those after it. */
export const ANSWER_WITHIN = 10_000;

/** Not everybody should come back at the same moment. */
export function spread(wait) {
  return wait * (0.5 + Math.random() / 2);
}

/** Whether a request was led to the sign-in. */
export function isLogin(answer) {
  return new URL(answer.url).pathname === "/login";
}

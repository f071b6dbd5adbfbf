import type { components } from "./schema.js";

export type Tokens = components["schemas"]["Tokens"];

/** How long before its end an access token is renewed, in milliseconds, so that none runs out on its way. */
const AHEAD = 10_000;

/**
 * The tokens of a signed-in user, renewed when it is time. A refresh token is good for one renewal, so all requests wait for
 * the same one.
 */
export class Session {
  #tokens: Tokens;
  #renewAt: number;
  #renewal: Promise<string> | undefined;
  readonly #renew: (refreshToken: string) => Promise<Tokens>;

  constructor(tokens: Tokens, renew: (refreshToken: string) => Promise<Tokens>) {
    this.#tokens = tokens;
    this.#renewAt = renewalOf(tokens);
    this.#renew = renew;
  }

  get user(): Tokens["user"] {
    return this.#tokens.user;
  }

  /** The access token; another one if `refused` is the present one. */
  readonly token = async (refused?: string): Promise<string> => {
    const isGood = Date.now() < this.#renewAt && this.#tokens.access_token !== refused;
    if (isGood) {
      return this.#tokens.access_token;
    }
    this.#renewal ??= this.#renewed().finally(() => (this.#renewal = undefined));
    return this.#renewal;
  };

  async #renewed(): Promise<string> {
    const tokens = await this.#renew(this.#tokens.refresh_token);
    this.#tokens = tokens;
    this.#renewAt = renewalOf(tokens);
    return tokens.access_token;
  }
}

function renewalOf(tokens: Tokens): number {
  return Date.now() + Math.max(tokens.expires_in * 1_000 - AHEAD, (tokens.expires_in * 1_000) / 2);
}

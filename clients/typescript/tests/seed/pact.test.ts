// The seed's consumer contract (コントラクトテスト), word for word, with the client's own getCustomers. What it writes is verified
// against the server by `contracts/tests`.

import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MatchersV3, PactV3 } from "@pact-foundation/pact";
import type { V3Interaction } from "@pact-foundation/pact";
import { getCustomers } from "../../src/index.js";
import { folder } from "../server.js";

const { like } = MatchersV3;
const VERIFIED = fileURLToPath(new URL("../../../../contracts/pacts/customer-mfe-kizuna.json", import.meta.url));
const [written, remove] = await folder();
afterAll(remove);

/** The seed names a state as older versions of pact did. */
class Provider extends PactV3 {
  override addInteraction({ state, ...interaction }: V3Interaction & { state?: string }): PactV3 {
    return super.addInteraction({ ...interaction, ...(state !== undefined && { states: [{ description: state }] }) });
  }
}

const provider = new Provider({ consumer: "customer-mfe", provider: "kizuna", dir: written, logLevel: "error" });

describe('Customer API contract', () => {
  it('should return customer list', async () => {
    await provider
      .addInteraction({
        state: 'customers exist',
        uponReceiving: 'a request for customers',
        withRequest: {
          method: 'GET',
          path: '/api/customers',
        },
        willRespondWith: {
          status: 200,
          body: like([{ id: '1', name: 'Test' }]),
        },
      })
      .executeTest(async (mockServer) => {
        const response = await getCustomers(mockServer.url);
        expect(response).toHaveLength(1);
      });
  });
});

it("the contract that the server is verified against is the one that was written", async () => {
  const file = join(written, "customer-mfe-kizuna.json");
  if (process.env["UPDATE_PACT"] !== undefined) {
    await copyFile(file, VERIFIED);
  }
  const read = async (path: string) => JSON.parse(await readFile(path, "utf8"));
  expect(await read(VERIFIED)).toEqual(await read(file));
});

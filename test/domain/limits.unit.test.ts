// One limit for gateway, bus and page.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readConfig } from "../../config/index.ts";
import { TICKETS_PER_CUSTOMER_MAX, TICKETS_PER_PURCHASE_MAX } from "../../domain/limits.ts";
import { TICKETS_PER_PURCHASE_MAX as ON_PAGE } from "../../public/src/api/limits.ts";
import { API_DOCUMENT } from "../../services/api/routes/index.ts";
import { BUY_PARAMS, SERVE_PARAMS } from "../../services/purchasing/purchasing.params.ts";

describe("the limit per purchase", () => {
  it("is the same in the HTTP contract, on the bus and on the page", () => {
    const contract = /"quantity":\{[^}]*"maximum":(\d+)[^}]*"default":1/.exec(
      JSON.stringify(API_DOCUMENT),
    );
    assert.equal(Number(contract?.[1]), TICKETS_PER_PURCHASE_MAX);
    assert.equal(BUY_PARAMS.quantity.max, TICKETS_PER_PURCHASE_MAX);
    assert.equal(SERVE_PARAMS.command.props.quantity.max, TICKETS_PER_PURCHASE_MAX);
    assert.equal(ON_PAGE, TICKETS_PER_PURCHASE_MAX);
  });

  it("is the limit per customer too, unless the configuration says another", () => {
    const environment = {
      DATA_DIR: mkdtempSync(join(tmpdir(), "boxoffice-test-")),
      SERVICES: "ledger",
    };
    assert.equal(readConfig(environment).ticketsPerCustomerMax, TICKETS_PER_CUSTOMER_MAX);
    const other = { ...environment, TICKETS_PER_CUSTOMER_MAX: "4" };
    assert.equal(readConfig(other).ticketsPerCustomerMax, 4);
  });
});

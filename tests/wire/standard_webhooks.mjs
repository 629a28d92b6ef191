// Verifies what Steward signed and signs for it, with the npm library: see test_libraries.py.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.NODE_MODULES}/x.js`);
const { Webhook } = require("standardwebhooks");

const { secret, headers, body, id, at } = JSON.parse(process.argv[2]);
const webhook = new Webhook(secret);
webhook.verify(body, headers); // throws where it does not match
process.stdout.write(webhook.sign(id, new Date(at * 1000), body));

// Sends one event to Steward: node send.mjs event.json. Needs nothing but Node 18.
import { createHmac, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";

export async function send(body, url, secret) {
  const name = `msg_${randomUUID()}`;
  const stamp = Math.floor(Date.now() / 1000).toString();
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const proof = createHmac("sha256", key).update(`${name}.${stamp}.`).update(body).digest("base64");
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/cloudevents+json",
      "webhook-id": name,
      "webhook-timestamp": stamp,
      "webhook-signature": `v1,${proof}`,
    },
    body,
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.text();
}

const answered = await send(
  await readFile(process.argv[2]),
  process.env.STEWARD_URL,
  process.env.STEWARD_SECRET,
);
process.stdout.write(answered);

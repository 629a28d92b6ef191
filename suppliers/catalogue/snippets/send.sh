#!/bin/sh
# Needs curl and openssl. Give the secret as STEWARD_SECRET, the address as STEWARD_URL and
# the event's file as the first argument.
set -eu
id="msg_$(openssl rand -hex 12)"
now=$(date +%s)
key=$(printf %s "${STEWARD_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
signature=$({ printf %s "$id.$now."; cat "$1"; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
curl --silent --show-error --fail-with-body "$STEWARD_URL" \
  -H 'content-type: application/cloudevents+json' \
  -H "webhook-id: $id" \
  -H "webhook-timestamp: $now" \
  -H "webhook-signature: v1,$signature" \
  --data-binary @"$1"

#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Prints the first key of a JWKS (the one in use) as PEM: for readers that know no JWK.
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { keys } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
process.stdout.write(createPublicKey({ key: keys[0], format: 'jwk' }).export({ type: 'spki', format: 'pem' }));

// SPDX-License-Identifier: Apache-2.0
// node jose.mjs PACKAGE JWKSFILE ISSUER AUDIENCE (NAME TOKENFILE)...: serves the keys on loopback, verifies each token as docs/relying-party.md
// says, and ends with 1 unless the one named "good" alone is accepted.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [wanted, jwksFile, issuer, audience, ...tokens] = process.argv.slice(2);
const { createRemoteJWKSet, jwtVerify } = await import(wanted);

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(readFileSync(jwksFile));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${server.address().port}/.well-known/jwks.json`));

async function attested(token) {
  const { payload } = await jwtVerify(token, keys, { algorithms: ['ES256'], issuer, audience, requiredClaims: ['exp', 'nbf', 'iat'] });
  if (payload.attestd_verdict !== 'affirming') throw new Error(`the verdict is ${payload.attestd_verdict}`);
  if (payload.simulated && !process.env.ATTESTD_ALLOW_SIMULATED) throw new Error('the evidence was simulated');
  return payload;
}

let wrong = 0;
for (let i = 0; i < tokens.length; i += 2) {
  const name = tokens[i];
  let reason = null;
  try {
    await attested(readFileSync(tokens[i + 1], 'utf8').trim());
  } catch (error) {
    reason = error.code ?? error.message;
  }
  const expected = (name === 'good') === (reason === null);
  console.log(`${expected ? 'ok   ' : 'WRONG'} ${wanted}: ${name}: ${reason ?? 'accepted'}`);
  if (!expected) wrong += 1;
}
server.close();
process.exitCode = wrong === 0 && tokens.includes('good') ? 0 : 1;

// Checks a credential as a wallet does, with nothing but the documents that it is given; prints what it found as JSON.
import {readFileSync} from 'node:fs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import * as vc from '@digitalcredentials/vc';

const {credential, documents} = JSON.parse(readFileSync(process.argv[2]));
const suite = new DataIntegrityProof({cryptosuite});

async function documentLoader(url) {
  const [base] = url.split('#');
  let document = documents[base];
  if(document && url.includes('#')) {
    const method = document.verificationMethod.find(({id}) => id === url);
    document = {'@context': 'https://w3id.org/security/multikey/v1', ...method};
  }
  return document ? {contextUrl: null, documentUrl: url, document} : vc.defaultDocumentLoader(url);
}

const found = await vc.verifyCredential({
  credential, suite, documentLoader,
  checkStatus: options => checkStatus({...options, documentLoader, suite, verifyBitstringStatusListCredential: true})
});
console.log(JSON.stringify({
  verified: found.verified,
  errors: (found.error?.errors ?? (found.error ? [found.error] : [])).map(({message}) => message),
  revoked: found.statusResult?.results?.[0]?.status ?? null
}));

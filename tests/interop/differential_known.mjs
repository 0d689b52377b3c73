// differential_known.mjs: what our decoders and other people's judge otherwise, and who is right by
// which rule. `of` is the kind of input, `what` the disagreement, in the words of differential.mjs.
export const known = [
  { of: /^ping$/, what: /^taken there alone: nonce/,
    why: 'ping of one to seven bytes: bcoin takes it for an old one; Core fails to read its ' +
      'nonce' },
  { of: /^(tx)$/, what: /^taken there alone: marker: only where some input has a witness/,
    why: 'a marker without any witness: bcoin takes it; Core calls it superfluous (BIP 144)' },
  { of: /^filterload$/, what: /^taken there alone: (hash functions|filter): at most/,
    why: "filterload over BIP 37's limits: bcoin looks at them later" },
  { of: /^sendcmpct$/, what: /^taken there alone: announce: 0 or 1/,
    why: 'sendcmpct: BIP 152 wants 0 or 1; bcoin reads any byte' },
  { of: /./, what: /^taken here alone: (undefined .offset=)?Number exceeds (2\^53-1|53 bits)/,
    why: 'a number of 64 bits: JavaScript holds 53' },
  { of: /^version$/, what: /^field height: -\d+ here, height 0 there/,
    why: 'a height below zero: bcoin makes it zero' },
  { of: /^version$/, what: /^taken here alone: (Version|Timestamp) is negative/,
    why: 'a version or time below zero: what to think of it is for the session here' },
  { of: /^pong$/, what: /^taken here alone: Out of bounds read/,
    why: 'pong without a nonce: Core passes over it as well, bcoin fails' },
  { of: /^filterload$/, what: /^taken here alone: Unknown update flag/,
    why: 'filterload with a flag that BIP 37 does not know' },
  { of: /^headers$/, what: /^taken there alone: headers: no transactions follow/,
    why: 'headers with a count of transactions: it is always zero; bcoin reads any' },
  { of: /^reject$/,
    what: /^(field (data|rejected hash): [0-9a-f]* here|taken here alone: Out of bounds read)/,
    why: 'behind a reject (BIP 61: 32 bytes, if any): shown here whatever it is; bcoin ' +
      'looks for a hash, and that for tx and block alone' },
  { of: /^rlp$/, what: /^taken there alone: item$/,
    why: 'nothing at all: ethereumjs takes it for an empty string, which is 0x80 (yellow ' +
      'paper, B)' },
  { of: /^(hello|status.*|discv4)$/, what: /^taken there alone: no list is expected here/,
    why: 'a list where bytes should be: ethereumjs looks at no field of a message' },
  { of: /^(hello|status.*|discv4)$/,
    what: /^taken there alone: (an integer|fork hash|hash: 32|public key|hello|capability|status)/,
    why: 'lengths of fields, and integers too large for them: ethereumjs looks at no field ' +
      'of a message' },
  { of: /^discv4$/, what: /^taken here alone: Invalid timestamp bytes/,
    why: 'a time that is not of four bytes: ethereumjs wants that width; RLP has its ' +
      'shortest (EIP-8 asks for patience)' },
  { of: /^discv4$/, what: /^taken here alone: Invalid address bytes/,
    why: 'an address of no known length: ethereumjs drops the packet; here that node alone ' +
      'has none' },
  { of: /^discv4$/, what: /^field (from|to|node): {2}here/,
    why: 'an address that is text: ethereumjs takes that, too, if it looks like one' },
  { of: /^discv4$/, what: /^taken here alone: Cannot read properties of undefined/,
    why: 'an endpoint without its last element, the TCP port, which some leave out: 0 here' },
  { of: /^enr$/,
    what: /^taken there alone: (keys: |id: v4|record: no longer|value$|an integer: |no list is)/,
    why: 'records against EIP-778 (keys not sorted, another scheme, over 300 bytes, a key ' +
      'without a value, a number that is none): ethereumjs checks the signature alone' },
  { of: /^enr$/,
    what: /^taken here alone: (Cannot read properties|Offset is outside|First argument)/,
    why: 'records without ip, tcp or udp: EIP-778 needs none of them; ethereumjs all' },
  { of: /^enr$/, what: /^field address: {2}here/,
    why: 'an ip of sixteen bytes: EIP-778 has ip6 for these, ethereumjs takes it' },
  { of: /^enr$/, what: /^field (tcp|udp): 0 here/,
    why: 'a port that is no number of two bytes: none here; ethereumjs reads the first two' },
];

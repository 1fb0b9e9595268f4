#!/bin/bash
# What Cedar decides where the evaluation of a `forbid` fails on valid input.
#
# Cedar's integers have 64 bits. One would guess that a `forbid` whose arithmetic overflows forbids, or that the request is
# an error.
#
# Seen: the policy is skipped and the `permit` beside it allows (documented as "skip on error", in `diagnostics` alone). A
# guard on `amount * price` that denies a small payment allows one that is large enough. An amount beyond 2^63 - 1, which
# is 9.2 ether in wei, cannot be given as a number at all.
#
# Needs npm, node. Exit 0: as written here; 1: the behaviour is another.
set -euo pipefail
CEDAR=4.13.0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts "@cedar-policy/cedar-wasm@$CEDAR"

cat > decide.cjs << 'END'
const { isAuthorized } = require('@cedar-policy/cedar-wasm/nodejs');

const GUARD = `permit(principal, action, resource);
  forbid(principal, action, resource) when { context.amount * context.price > 1000 };`;
const uid = (type, id) => ({ type, id });
function decide(context) {
  const answer = isAuthorized({
    principal: uid('Client', 'a'),
    action: uid('Action', 'sign'),
    resource: uid('Key', 'hot'),
    context,
    policies: { staticPolicies: GUARD },
    entities: [],
  });
  return answer.type === 'success' ? answer.response.decision : answer.type;
}
console.log('small', decide({ amount: 10, price: 10 }));
console.log('large', decide({ amount: 1000, price: 1000 }));
console.log('overflow', decide({ amount: 4000000000000000, price: 4000000000000000 }));
console.log('lacking', decide({ amount: 1000 }));
console.log('2^63', decide(JSON.parse('{"amount": 9223372036854775808, "price": 1}')));
END
node decide.cjs | tee seen

diff - seen << END && printf 'As expected.\n'
small allow
large deny
overflow allow
lacking allow
2^63 failure
END

import * as v from 'valibot';
import { tabDoor } from '../../../web/tab/tab-door.ts';
import { tabEnvironment } from '../../../web/tab/tab-environment.ts';
import { beMember } from '../be-member.ts';
import { MemberRequestSchema } from '../member-request.ts';
import { OrderSchema } from '../messages.ts';

/** A member of a session in a tab, without a page around it; its orders come from the test, which also hears what it says. */
declare global {
  var begin: (request: unknown) => Promise<void>;
  var order: (order: unknown) => void;
  /** The test's, once the page is there. */
  var heard: (said: string) => void;
}

globalThis.begin = async (asked) => {
  const request = v.parse(MemberRequestSchema, asked);
  const obey = await beMember(request, {
    real: tabEnvironment(tabDoor(location.origin)),
    say: (said) => globalThis.heard(JSON.stringify(said)),
    kept: () => Promise.reject(new Error('A tab that was killed comes back as somebody new.')),
    end: () => globalThis.heard('null'),
  });
  globalThis.order = (order) => obey(v.parse(OrderSchema, order));
};

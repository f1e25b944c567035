import {
  bean,
  boolean,
  clientJson,
  integer,
  jsonBody,
  list,
  maybe,
  roundedLong,
  string,
  type ValueOfShape,
} from './shape.ts'

/** What a consumer wants of a topic (remoting.md 11). */
export const subscriptionDataShape = bean({
  classFilterMode: boolean(),
  topic: string,
  /** `*`, tags joined by `||`, a SQL92 expression, or a class name. */
  subString: string,
  tagsSet: list(string),
  /** Java hashes of the tags, signed 32 bits. */
  codeSet: list(integer()),
  subVersion: roundedLong,
  /** TAG also where the sender leaves it out. */
  expressionType: { ...string, read: json => (json === undefined || json === null ? 'TAG' : string.read(json)) },
})
export type SubscriptionData = ValueOfShape<typeof subscriptionDataShape>

/** Body of 46. */
export const checkClientBody = jsonBody(
  bean({
    clientId: string,
    group: string,
    namespace: maybe(string),
    subscriptionData: subscriptionDataShape,
  }),
  undefined,
  clientJson,
)

/** Reply body of 345 (5.x). */
export const querySubscriptionBody = jsonBody(
  bean({ group: string, topic: maybe(string), subscriptionData: maybe(subscriptionDataShape) }),
)

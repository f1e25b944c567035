/** Where two shapes differ, a line each: what is missing here, what is new, what is of another kind. */
export function shapeDifferences(path: string, theirs: unknown, ours: unknown): string[] {
  if (isObject(theirs) && isObject(ours)) {
    const keys = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])]
    return keys.flatMap(key => {
      if (!(key in ours)) return [`${path}.${key} is missing`]
      return key in theirs ? shapeDifferences(`${path}.${key}`, theirs[key], ours[key]) : [`${path}.${key} is new`]
    })
  }
  if (Array.isArray(theirs) && Array.isArray(ours) && theirs.length === ours.length)
    return theirs.flatMap((each, at) => shapeDifferences(`${path}[${at}]`, each, ours[at]))
  return JSON.stringify(theirs) === JSON.stringify(ours) ? [] : [`${path} is another`]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Calls whose answers have other shapes than at any of the servers, but for what is meant. */
export function surprisesIn(
  recorded: readonly Readonly<Record<string, unknown>>[],
  ours: Readonly<Record<string, unknown>>,
): string[] {
  return Object.entries(ours).flatMap(([call, shape]) => {
    const [first = [], ...others] = recorded.map(each =>
      shapeDifferences('', each[call], shape).filter(difference => !isMeant(call, difference)),
    )
    // As one of the servers has it, place by place: ours is of 4.9, and does what 4.9 fails at as 5.3.3 does.
    const wrong = others.reduce<readonly string[]>((left, each) => left.filter(line => isIn(each, line)), first)
    return wrong.map(difference => `${call}: ${difference}`)
  })
}

const placeOf = (difference: string): string => difference.slice(0, difference.indexOf(' is '))

/** At this place, above or below it there is something wrong at the other server, too. */
const isIn = (differences: readonly string[], difference: string): boolean => {
  const place = placeOf(difference)
  return differences.some(each => place.startsWith(placeOf(each)) || placeOf(each).startsWith(place))
}

/** Figures and keys of either side: the comparison of mqadmin (intended.ts) has them one by one. */
const isMeant = (call: string, difference: string): boolean =>
  // 5.3.3 repeats the unique id there.
  (call.startsWith('/topic/sendTopicMessage') && difference === '.data.transactionId is another') ||
  (call.startsWith('/cluster/brokerConfig') && /^\.data\.\w+ is (?:new|missing)$/.test(difference)) ||
  (call.startsWith('/cluster/list') && /^\.data\.brokerServer\.\*\.\*\.\w+ is (?:new|missing)$/.test(difference))

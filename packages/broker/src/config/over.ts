/** The configuration with further members, still read live: a copy would not see what a tool changes (25). */
export function over<C extends object, F extends object>(config: C, further: F): Omit<C, keyof F> & F {
  return Object.assign(Object.create(config), further)
}

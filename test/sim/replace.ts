/** Another method, or value, in the place of one of production code, until it is put back. */
export type Undo = () => void;

export function replace<Owner extends object>(owner: Owner, name: keyof Owner, by: unknown): Undo {
  const had = Object.hasOwn(owner, name);
  const original = owner[name];
  Object.assign(owner, { [name]: by });
  return () => {
    if (had) Object.assign(owner, { [name]: original });
    else Reflect.deleteProperty(owner, name);
  };
}

export function replaceGetter<Owner extends object, Value>(
  owner: Owner,
  name: keyof Owner,
  by: (self: Owner, present: Value) => Value,
): Undo {
  const original = Object.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor;
  Object.defineProperty(owner, name, {
    configurable: true,
    get(this: Owner): Value {
      return by(this, original.get?.call(this));
    },
  });
  return () => void Object.defineProperty(owner, name, original);
}

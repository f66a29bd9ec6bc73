// What `console.log` shows of a socket or a server: its state, not its insides, which are private.
// Node, Bun and Deno each ask for that by a symbol of their own. It stands in a file of its own
// because sockets, servers and clients share it.

type Inspect = (value: unknown, options: unknown) => string;

/** Shows instances of the class by its name and the given fields. */
export function showAs<T extends object>(
  type: { readonly name: string; readonly prototype: T; },
  fields: (instance: T) => object,
): void {
  const show = (instance: T, options: unknown, inspect: Inspect): string => {
    // The prototype itself is no instance, and has no private members to read.
    if (instance === type.prototype) return type.name;
    return `${type.name} ${inspect(fields(instance), options)}`;
  };
  define(type.prototype, "nodejs.util.inspect.custom", function(this: T, _depth, options, inspect) {
    return show(this, options, inspect as Inspect);
  });
  define(type.prototype, "Deno.customInspect", function(this: T, inspect, options) {
    return show(this, options, inspect as Inspect);
  });
}

function define<T extends object>(
  prototype: T,
  symbol: string,
  value: (this: T, ...args: unknown[]) => string,
): void {
  Object.defineProperty(prototype, Symbol.for(symbol), {
    value,
    writable: true,
    configurable: true,
  });
}

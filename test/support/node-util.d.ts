// All that the tests in workerd use of it; Node's own types would clash with those of Workers.
declare module 'node:util' {
  export function inspect(value: unknown, options?: object): string
}

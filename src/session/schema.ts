// A schema belongs to the app and not to the record: it is applied to what was read, and nothing is written because of it. So
// the shape of the data may change between deployments, also while both versions are running.

import { jsonCopy } from './json-value.ts'
import { ownProperty } from './session-content.ts'

/**
 * The interface that zod, valibot and arktype share: https://standardschema.dev. Described here, so that none of them is
 * needed.
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (
      value: unknown,
    ) =>
      | { readonly value: Output; readonly issues?: undefined }
      | { readonly issues: readonly object[] }
      | Promise<unknown>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

type Validation = ReturnType<StandardSchemaV1['~standard']['validate']>

/** A schema for some of the keys. */
export type Schemas = Readonly<Record<string, StandardSchemaV1>>

/**
 * Reads the stored values of one request through the schemas of their keys.
 *
 * A value is shown to it once: `get` gives the same object twice, and a schema that is expensive is run once for each key. Known by
 * identity, which is enough, because values of a session are replaced and never changed in place.
 */
export class SchemaReader {
  readonly #schemas: Schemas
  readonly #known = new Map<string, { raw: unknown; value: unknown }>()

  constructor(schemas: Schemas) {
    this.#schemas = schemas
  }

  /**
   * The value as the schema reads it; `undefined` for one that the schema refuses.
   *
   * @throws TypeError if the schema is asynchronous, or its result no JSON.
   */
  read(key: string, raw: unknown): unknown {
    const schema = ownProperty(this.#schemas, key)
    if (!schema || raw === undefined) return raw
    const known = this.#known.get(key)
    if (known && known.raw === raw) return known.value
    const value = accepted(schema['~standard'].validate(raw), key)
    this.#known.set(key, { raw, value })
    return value
  }

  /** The app itself has put this there, so nobody has to look at it. */
  accept(key: string, value: unknown): void {
    if (Object.hasOwn(this.#schemas, key)) this.#known.set(key, { raw: value, value })
  }
}

/**
 * The result of a validation, as a value of the session. Copied, because a schema may transform to what is not JSON (a `Date`),
 * and such a value could be read but not written back.
 */
function accepted(result: Validation, key: string): unknown {
  if ('then' in result) {
    result.catch(() => {})
    throw new TypeError(
      `The schema of '${key}' is asynchronous, and get() is not. Take what has to be awaited out of it.`,
    )
  }
  return result.issues ? undefined : jsonCopy(result.value, key)
}

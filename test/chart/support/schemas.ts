import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A JSON schema, or a part of one. */
type Schema = { [keyword: string]: unknown };

interface OpenApi {
  readonly definitions: Record<string, Schema>;
}

interface Crd {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What this chart makes, beside the kinds of the Operator and of the Gateway API. Others, such as CustomResourceDefinition, refer to themselves. */
const KINDS = new Set([
  'ClusterRole',
  'ClusterRoleBinding',
  'ConfigMap',
  'CronJob',
  'Deployment',
  'Ingress',
  'Namespace',
  'NetworkPolicy',
  'PersistentVolumeClaim',
  'Pod',
  'PodDisruptionBudget',
  'Role',
  'RoleBinding',
  'Service',
  'ServiceAccount',
  'StatefulSet',
]);

/** Where kubeconform finds a schema below the folder. For the core group it takes the version as the group, too. */
export const SCHEMA_LOCATION = '{{ .Group }}_{{ .ResourceAPIVersion }}_{{ .ResourceKind }}.json';

/**
 * Writes the schemas of one Kubernetes version and of the kinds that CRDs define, in the form that kubeconform reads.
 * They are strict: a field that is not in them is an error.
 */
export function writeSchemas(openApiFile: string, crdFolders: readonly string[], folder: string): void {
  mkdirSync(folder, { recursive: true });
  const write = (group: string, version: string, kind: string, schema: Schema) => {
    const apiVersion = group === '' ? version : `${group}/${version}`;
    const own = { apiVersion: { enum: [apiVersion] }, kind: { enum: [kind] } };
    const properties = { ...(schema['properties'] as Schema), ...own };
    const name = `${group || version}_${version}_${kind.toLowerCase()}.json`;
    const required = [
      ...((schema['required'] as string[] | undefined) ?? []),
      'apiVersion',
      'kind',
      'metadata',
    ];
    writeFileSync(
      join(folder, name),
      JSON.stringify({ ...schema, properties, required: [...new Set(required)] }),
    );
  };

  const { definitions } = JSON.parse(readFileSync(openApiFile, 'utf8')) as OpenApi;
  const metadata = definitions['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'] as Schema;
  for (const definition of Object.values(definitions)) {
    const kinds = (definition['x-kubernetes-group-version-kind'] ?? []) as GroupVersionKind[];
    for (const { group, version, kind } of kinds) {
      if (KINDS.has(kind) && kinds.length === 1) write(group, version, kind, strict(definition, definitions));
    }
  }
  const files = crdFolders.flatMap((crds) => readdirSync(crds).map((file) => join(crds, file)));
  for (const file of files) {
    const { spec } = parse(readFileSync(file, 'utf8')) as Crd;
    for (const { name, schema } of spec.versions) {
      const { openAPIV3Schema } = schema;
      const properties = { ...(openAPIV3Schema['properties'] as Schema), metadata };
      write(spec.group, name, spec.names.kind, strict({ ...openAPIV3Schema, properties }, definitions));
    }
  }
}

/** A schema with its references resolved, closed to unknown fields. */
function strict(schema: Schema, definitions: OpenApi['definitions']): Schema {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const name = reference.replace('#/definitions/', '');
    // A quantity may be written as a number: `cpu: 1`.
    if (name.endsWith('.api.resource.Quantity')) return { type: ['string', 'number'] };
    return strict(definitions[name] as Schema, definitions);
  }
  if (schema['x-kubernetes-int-or-string'] === true || schema['format'] === 'int-or-string')
    return { type: ['string', 'integer'] };
  const properties = schema['properties'] as Record<string, Schema> | undefined;
  const open = schema['additionalProperties'] ?? schema['x-kubernetes-preserve-unknown-fields'];
  const inner = (part: unknown) => (isSchema(part) ? strict(part, definitions) : part);
  return {
    ...schema,
    ...(schema['items'] !== undefined && { items: inner(schema['items']) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, inner(part)])),
    }),
    ...(properties !== undefined && open === undefined && { additionalProperties: false }),
    ...(isSchema(open) && { additionalProperties: inner(open) }),
  };
}

function isSchema(part: unknown): part is Schema {
  return typeof part === 'object' && part !== null;
}

import ipaddr from 'ipaddr.js';

/** What is read of a pod: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
export interface Pod {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion?: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly controller?: boolean }[];
  };
  readonly spec?: { readonly hostNetwork?: boolean };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
  };
}

/** A pod as far as scrapers are told apart by it. */
interface Known {
  readonly uid: string;
  /** `namespace/name` where the name outlives the pod: a StatefulSet gives it to the next one, too. */
  readonly lasting: string | undefined;
}

/** Which pod has which address, as the API server told last. */
export class PodDirectory {
  readonly #byAddress = new Map<string, Known>();
  readonly #addresses = new Map<string, readonly string[]>();

  /** Forgets all, and learns these. */
  replaceAll(pods: Iterable<Pod>): void {
    this.#byAddress.clear();
    this.#addresses.clear();
    for (const pod of pods) this.put(pod);
  }

  /** Learns a pod that is new or has changed. */
  put(pod: Pod): void {
    this.remove(pod);
    const { uid, namespace, name, ownerReferences = [] } = pod.metadata;
    const addresses = addressesOf(pod);
    if (addresses.length === 0) return;
    const isLasting = ownerReferences.some(
      (owner) => owner.controller === true && owner.kind === 'StatefulSet',
    );
    const known = { uid, lasting: isLasting ? `${namespace}/${name}` : undefined };
    this.#addresses.set(uid, addresses);
    for (const address of addresses) this.#byAddress.set(address, known);
  }

  /** Forgets a pod; an address that another pod has by now stays that one's. */
  remove({ metadata: { uid } }: Pod): void {
    for (const address of this.#addresses.get(uid) ?? [])
      if (this.#byAddress.get(address)?.uid === uid) this.#byAddress.delete(address);
    this.#addresses.delete(uid);
  }

  /** The pod at an address in canonical form; undefined where none is known. */
  at(address: string): Known | undefined {
    return this.#byAddress.get(address);
  }

  get size(): number {
    return this.#addresses.size;
  }
}

/** In canonical form. A pod on its node's network shares the address with others, and one that is over has none. */
function addressesOf({ spec, status }: Pod): readonly string[] {
  if (spec?.hostNetwork === true || status?.phase === 'Succeeded' || status?.phase === 'Failed') return [];
  const all = [status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)];
  return [...new Set(all.filter((ip) => ip !== undefined && ipaddr.isValid(ip)))].map((ip) =>
    ipaddr.process(ip as string).toString(),
  );
}

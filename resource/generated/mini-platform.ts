// Generated from crds/miniplatforms.yaml by `npm run generate`. Do not edit.

/**
 * A platform: dispatchers that answer HTTP, workers that join them and do the work, a feeder that keeps the fraud list, and an archiver that keeps every event.
 */
export interface MiniPlatform {
  /**
   * Group and version of this resource, mini-platform.io/v1alpha1.
   */
  readonly apiVersion: 'mini-platform.io/v1alpha1';
  /**
   * Kind of this resource, MiniPlatform.
   */
  readonly kind: 'MiniPlatform';
  /**
   * Name, namespace, labels and annotations, as of any Kubernetes object.
   */
  readonly metadata: {
    /**
     * Name of the platform, at most 40 characters: the names of all that is made for it begin with it.
     */
    readonly name: string;
    /**
     * Namespace of the platform.
     */
    readonly namespace: string;
    /**
     * Labels, to select by.
     */
    readonly labels?: {
      readonly [k: string]: string;
    };
    /**
     * Annotations, for tools.
     */
    readonly annotations?: {
      readonly [k: string]: string;
    };
  };
  readonly spec: MiniPlatformSpec;
  readonly status?: MiniPlatformStatus;
}
/**
 * What is wanted.
 */
export interface MiniPlatformSpec {
  /**
   * Container image of all roles. When absent, the operator's own version of it.
   */
  readonly image?: string;
  /**
   * Secrets, in the platform's namespace, to pull the image with.
   */
  readonly imagePullSecrets?: readonly ImagePullSecret[];
  /**
   * The business domains that are served, by name, for example bank.
   *
   * Items: Name of a domain in the image.
   */
  readonly domains: readonly string[];
  readonly dispatcher: DispatcherSpec;
  readonly worker: WorkerSpec;
  readonly feeder: FeederSpec;
  readonly archiver: ArchiverSpec;
  readonly kafka: KafkaSpec;
  readonly mongodb: MongodbSpec;
  readonly redis?: RedisSpec;
  readonly s3: S3Spec;
  readonly retry: RetrySpec;
  readonly monitoring: MonitoringSpec;
  /**
   * When true, the operator changes nothing and only reports the status.
   */
  readonly paused: boolean;
}
/**
 * A reference to one Secret.
 */
export interface ImagePullSecret {
  /**
   * Name of the Secret.
   */
  readonly name: string;
}
/**
 * The role that answers HTTP and hands operations to workers.
 */
export interface DispatcherSpec {
  /**
   * How many dispatchers run in a cluster. The laptop command always runs one.
   */
  readonly replicas: number;
  /**
   * CPU and memory of each dispatcher. Used in a cluster only.
   */
  readonly resources?: {
    /**
     * What is set aside for each dispatcher, for example cpu and memory.
     */
    readonly requests?: {
      /**
       * A quantity such as 500m, 2 or 512Mi.
       */
      readonly [k: string]: number | string;
    };
    /**
     * What each dispatcher may use at most, for example cpu and memory.
     */
    readonly limits?: {
      /**
       * A quantity such as 500m, 2 or 512Mi.
       */
      readonly [k: string]: number | string;
    };
  };
  /**
   * How clients reach the dispatchers.
   */
  readonly service: {
    /**
     * Type of the Service that is made. Used in a cluster only.
     */
    readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
    /**
     * Port of the HTTP API; the laptop command listens on it too, on loopback.
     */
    readonly port: number;
  };
}
/**
 * The role that does the work. Workers join every dispatcher.
 */
export interface WorkerSpec {
  /**
   * How many workers run. Changing it scales a running platform, without a restart.
   */
  readonly replicas: number;
  /**
   * How many workers one dispatcher accepts. It is a soft bound.
   */
  readonly maxMembers: number;
  /**
   * CPU and memory of each worker. Used in a cluster only.
   */
  readonly resources?: {
    /**
     * What is set aside for each worker, for example cpu and memory.
     */
    readonly requests?: {
      /**
       * A quantity such as 500m, 2 or 512Mi.
       */
      readonly [k: string]: number | string;
    };
    /**
     * What each worker may use at most, for example cpu and memory.
     */
    readonly limits?: {
      /**
       * A quantity such as 500m, 2 or 512Mi.
       */
      readonly [k: string]: number | string;
    };
  };
  /**
   * When given, a HorizontalPodAutoscaler sets replicas between min and max. Used in a cluster only.
   */
  readonly autoscaling?: {
    /**
     * Fewest workers.
     */
    readonly min: number;
    /**
     * Most workers.
     */
    readonly max: number;
    /**
     * Operations in flight per worker to scale for; it needs a metrics adapter in the cluster. When absent, workers are scaled by CPU.
     */
    readonly targetInFlight?: number;
  };
}
/**
 * The role that loads the fraud list from the object store into the cache.
 */
export interface FeederSpec {
  /**
   * How often the fraud list is looked at for a change, from 1s to 24h.
   */
  readonly interval: string;
  /**
   * The object that holds the fraud list, one name per line. When absent, no feeder runs, and a domain that asks for the list (bank) accepts no write.
   */
  readonly source?: {
    /**
     * Bucket of the fraud list.
     */
    readonly bucket: string;
    /**
     * Key of the fraud list within its bucket.
     */
    readonly key: string;
  };
  /**
   * Whether an empty fraud list is taken over. Otherwise it is refused, and the last one stays.
   */
  readonly allowEmpty: boolean;
}
/**
 * The role that keeps every event, in batches, in the object store.
 */
export interface ArchiverSpec {
  /**
   * How many archivers run in a cluster. The laptop command runs at most one.
   */
  readonly replicas: number;
  /**
   * Events in one archived object, at most.
   */
  readonly batchSize: number;
  /**
   * After how long a batch is archived though it is not full, from 1s to 1h.
   */
  readonly maxAge: string;
}
/**
 * The event log. Without brokers, the laptop command uses an embedded one.
 */
export interface KafkaSpec {
  /**
   * Addresses of brokers to ask for the others, as host:port.
   *
   * Items: Address of one broker, as host:port.
   */
  readonly brokers?: readonly string[];
  /**
   * What the names of all topics begin with. When absent, `<namespace>.<name>.`, so that two platforms never share a topic by accident. It cannot be changed later.
   */
  readonly topicPrefix?: string;
  /**
   * Replicas of each topic on the given brokers; topics with fewer are refused.
   */
  readonly replicationFactor: number;
  /**
   * Replicas that must have an event before it is acknowledged.
   */
  readonly minInsyncReplicas: number;
  /**
   * Whether to connect by TLS.
   */
  readonly tls: boolean;
  /**
   * The certificates of the authorities to trust. When absent, the well-known ones.
   */
  readonly caSecret?: {
    /**
     * Name of the Secret.
     */
    readonly name: string;
    /**
     * Key within the Secret; its value is PEM.
     */
    readonly key: string;
  };
  /**
   * How to log in with what authSecret holds.
   */
  readonly saslMechanism: 'SCRAM-SHA-512' | 'SCRAM-SHA-256' | 'PLAIN';
  /**
   * Who to log in as; a Secret with the keys username and password.
   */
  readonly authSecret?: {
    /**
     * Name of the Secret.
     */
    readonly name: string;
  };
}
/**
 * The document store. Without uriSecret, the laptop command uses an embedded one.
 */
export interface MongodbSpec {
  /**
   * Name of the database. When absent, one made of namespace and name. It cannot be changed later.
   */
  readonly database?: string;
  /**
   * The connection string, mongodb://... or mongodb+srv://..., with its credentials.
   */
  readonly uriSecret?: {
    /**
     * Name of the Secret.
     */
    readonly name: string;
    /**
     * Key within the Secret.
     */
    readonly key: string;
  };
  /**
   * The certificates of the authorities to trust. When absent, the well-known ones.
   */
  readonly caSecret?: {
    /**
     * Name of the Secret.
     */
    readonly name: string;
    /**
     * Key within the Secret; its value is PEM.
     */
    readonly key: string;
  };
}
/**
 * The cache. When absent, the laptop command uses an embedded one.
 */
export interface RedisSpec {
  /**
   * Address of one server, redis://host:port or rediss://host:port for TLS, with an optional /database. Credentials belong in secret.
   */
  readonly url?: string;
  /**
   * Addresses of the Sentinels that name the master, as host:port.
   *
   * Items: Address of one Sentinel, as host:port.
   */
  readonly sentinels?: readonly string[];
  /**
   * Name under which the Sentinels know the master.
   */
  readonly masterName?: string;
  /**
   * Whether to connect by TLS to Sentinels and the master. With url, rediss:// says so.
   */
  readonly tls: boolean;
  /**
   * The certificates of the authorities to trust. When absent, the well-known ones.
   */
  readonly caSecret?: {
    /**
     * Name of the Secret.
     */
    readonly name: string;
    /**
     * Key within the Secret; its value is PEM.
     */
    readonly key: string;
  };
  /**
   * Who to log in as; a Secret with the key password and, if there is one, username.
   */
  readonly secret?: {
    /**
     * Name of the Secret.
     */
    readonly name: string;
  };
}
/**
 * The object store. Without endpoint, the laptop command uses an embedded one.
 */
export interface S3Spec {
  /**
   * Address of the store, http://host:port or https://host.
   */
  readonly endpoint?: string;
  /**
   * Region to sign requests for.
   */
  readonly region: string;
  /**
   * Buckets that the platform writes to. They cannot be changed later.
   */
  readonly buckets: {
    /**
     * Bucket of the archive. When absent, one named by namespace and name.
     */
    readonly archive?: string;
  };
  /**
   * The certificates of the authorities to trust. When absent, the well-known ones.
   */
  readonly caSecret?: {
    /**
     * Name of the Secret.
     */
    readonly name: string;
    /**
     * Key within the Secret; its value is PEM.
     */
    readonly key: string;
  };
  /**
   * Who to log in as; a Secret with the keys accessKeyId and secretAccessKey.
   */
  readonly secret?: {
    /**
     * Name of the Secret.
     */
    readonly name: string;
  };
}
/**
 * How long a write may take, and how a parked one is tried again.
 */
export interface RetrySpec {
  /**
   * How long a write is tried before it is parked: kept durably, answered 202 and sent again later. From 100ms to 30s.
   */
  readonly deadline: string;
  /**
   * Failures of a parked write itself after which it is set aside for an administrator. A service that is away does not count.
   */
  readonly maxAttempts: number;
  /**
   * Waiting between attempts; it doubles each time, with jitter.
   */
  readonly backoff: {
    /**
     * Wait before the second attempt, from 10ms to 1m.
     */
    readonly initial: string;
    /**
     * Longest wait, from 10ms to 24h.
     */
    readonly max: string;
  };
}
/**
 * What is made for a monitoring system in the cluster.
 */
export interface MonitoringSpec {
  /**
   * Whether a PodMonitor is made for the Prometheus operator.
   */
  readonly podMonitor: boolean;
}
/**
 * What is observed; written by the operator.
 */
export interface MiniPlatformStatus {
  /**
   * The generation of the spec that this status speaks of.
   */
  readonly observedGeneration?: number;
  /**
   * What holds of the platform, for example Ready, Progressing, Degraded.
   */
  readonly conditions?: readonly Condition[];
  /**
   * How many dispatchers there are.
   */
  readonly dispatcher?: {
    /**
     * How many are wanted.
     */
    readonly desired?: number;
    /**
     * How many exist.
     */
    readonly replicas?: number;
    /**
     * How many are ready.
     */
    readonly ready?: number;
    /**
     * How many are connected to the other role by a link.
     */
    readonly joined?: number;
  };
  /**
   * How many workers there are.
   */
  readonly worker?: {
    /**
     * How many are wanted.
     */
    readonly desired?: number;
    /**
     * How many exist.
     */
    readonly replicas?: number;
    /**
     * How many are ready.
     */
    readonly ready?: number;
    /**
     * How many are connected to the other role by a link.
     */
    readonly joined?: number;
  };
  /**
   * How many feeders there are.
   */
  readonly feeder?: {
    /**
     * How many are wanted.
     */
    readonly desired?: number;
    /**
     * How many exist.
     */
    readonly replicas?: number;
    /**
     * How many are ready.
     */
    readonly ready?: number;
    /**
     * How many are connected to the other role by a link.
     */
    readonly joined?: number;
  };
  /**
   * How many archivers there are.
   */
  readonly archiver?: {
    /**
     * How many are wanted.
     */
    readonly desired?: number;
    /**
     * How many exist.
     */
    readonly replicas?: number;
    /**
     * How many are ready.
     */
    readonly ready?: number;
    /**
     * How many are connected to the other role by a link.
     */
    readonly joined?: number;
  };
  /**
   * Workers joined, of those desired, for people, for example 3/5.
   */
  readonly workers?: string;
  /**
   * Label selector of the worker pods, serialized, for the scale subresource.
   */
  readonly selector?: string;
  /**
   * Version of the image that runs.
   */
  readonly version?: string;
}
/**
 * One condition, as the Kubernetes API conventions define it.
 */
export interface Condition {
  /**
   * What it speaks of.
   */
  readonly type: string;
  /**
   * Whether it holds.
   */
  readonly status: 'True' | 'False' | 'Unknown';
  /**
   * The generation of the spec that it was set for.
   */
  readonly observedGeneration?: number;
  /**
   * When its status last changed.
   */
  readonly lastTransitionTime: string;
  /**
   * Why, as one word for programs.
   */
  readonly reason: string;
  /**
   * Why, for people.
   */
  readonly message: string;
}

/** The little of autocannon 9 that is used here; the package brings no types. */
declare module 'autocannon' {
  namespace autocannon {
    interface Request {
      readonly method: 'GET' | 'POST';
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** Called before each request; returns what is sent. */
      readonly setupRequest?: (request: Request) => Request;
    }

    interface Options {
      readonly url: string;
      readonly connections: number;
      /** Seconds. */
      readonly duration: number;
      /** Seconds. */
      readonly timeout: number;
      readonly requests: readonly Request[];
    }

    interface Result {
      /** Seconds. */
      readonly duration: number;
      readonly errors: number;
      readonly non2xx: number;
      readonly requests: { readonly total: number };
      /** Whole milliseconds. */
      readonly latency: { readonly p50: number; readonly p99: number };
    }
  }

  function autocannon(options: autocannon.Options): Promise<autocannon.Result>;
  export = autocannon;
}

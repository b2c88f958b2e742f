import { credentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  LinkServiceClient,
  type OpenRequest,
  type OpenResponse,
} from '../../runtime/generated/miniplatform/link/v1/link.ts';
import { PROTOCOL_VERSION } from '../../runtime/link/protocol.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { dial, startRawWorker, startWorker, type TestWorkerOptions } from '../helpers/link-pair.ts';

const cleanUp: (() => void)[] = [];

afterEach(() => {
  for (const each of cleanUp.splice(0).reverse()) each();
});

async function worker(options: TestWorkerOptions): ReturnType<typeof startWorker> {
  const started = await startWorker(options);
  cleanUp.push(() => started.stop());
  return started;
}

/** Writes frames as a dispatcher and collects what comes back until the stream ends. */
async function talk(port: number, frames: readonly OpenRequest[]): Promise<readonly OpenResponse[]> {
  const client = new LinkServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
  const stream = client.open();
  const responses: OpenResponse[] = [];
  const ended = new Promise<void>((resolve) => {
    stream.on('data', (response: OpenResponse) => responses.push(response));
    stream.on('end', () => resolve());
    stream.on('error', () => resolve());
  });
  for (const frame of frames) stream.write(frame);
  await within('the end of the stream', ended);
  client.close();
  return responses;
}

function hello(protocolVersion: number, bootId = ''): OpenRequest {
  return { frame: { $case: 'hello', value: { protocolVersion, dispatcherId: 'raw', bootId } } };
}

describe('a worker refuses a link', () => {
  test('before it has joined, and takes it afterwards', async () => {
    let refusal: string | undefined = 'not joined yet';
    const { port, refused } = await worker({ refusal: () => refusal });
    const early = dial(`127.0.0.1:${port}`);
    await within('the refusal', early.closed);
    expect(refused).toEqual(['not joined yet']);
    refusal = undefined;
    const later = dial(`127.0.0.1:${port}`);
    expect(await within('the handshake', later.opened)).toMatchObject({ bootId: 'boot-1', uid: 'worker-1' });
    later.client.close('the test is over');
  });

  test('that is meant for another start of it', async () => {
    const { port, refused } = await worker({ bootId: 'boot-2' });
    const link = dial(`127.0.0.1:${port}`, { bootId: 'boot-1' });
    await within('the refusal', link.closed);
    expect(refused).toEqual(['the link is meant for another start of this worker']);
    expect(link.client.state).toBe('closed');
  });

  test('of an incompatible version', async () => {
    const { port, refused, links } = await worker({});
    for (const version of [0, PROTOCOL_VERSION + 2]) {
      expect(await talk(port, [hello(version)])).toEqual([]);
    }
    expect(refused).toEqual([
      'link protocol 0 is not spoken here',
      `link protocol ${PROTOCOL_VERSION + 2} is not spoken here`,
    ]);
    expect(links.links).toBe(0);
  });

  test('that begins with operations, or greets twice', async () => {
    const { port, refused, submitted, closed } = await worker({});
    const one = {
      seq: 1,
      name: 'test.echo',
      request: new Uint8Array(1),
      eventId: '',
      timeoutMs: 1_000,
      discard: false,
    };
    const operations = [{ ...one, bodyHash: new Uint8Array(0) }];
    await talk(port, [{ frame: { $case: 'operations', value: { operations } } }]);
    expect(refused).toEqual(['operations before the handshake']);
    expect(submitted).toEqual([]);
    await talk(port, [hello(PROTOCOL_VERSION), hello(PROTOCOL_VERSION)]);
    expect(closed).toEqual(['a second hello']);
  });

  test('that says nothing', async () => {
    const { port, refused } = await worker({});
    await talk(port, []);
    expect(refused).toEqual(['no handshake in time']);
  });
});

describe('a dispatcher ends a link', () => {
  async function answerWith(protocolVersion: number, bootId: string): Promise<string> {
    const raw = await startRawWorker((frame, stream) => {
      const welcome = { protocolVersion, bootId, uid: 'raw', window: 8, operations: [] };
      if (frame.$case === 'hello') stream.write({ frame: { $case: 'welcome', value: welcome } });
    });
    cleanUp.push(() => raw.stop());
    const link = dial(`127.0.0.1:${raw.port}`, { bootId: 'boot-1' });
    return within('the end of the link', link.closed);
  }

  test('to a worker of an incompatible version', async () => {
    expect(await answerWith(PROTOCOL_VERSION + 2, 'boot-1')).toBe(
      `the worker speaks link protocol ${PROTOCOL_VERSION + 2}, not ${PROTOCOL_VERSION}`,
    );
  });

  test('to another start of the worker than the one that joined', async () => {
    expect(await answerWith(PROTOCOL_VERSION, 'boot-2')).toBe('another start of the worker answered');
  });

  test('but takes one version above its own, and any start where none is known', async () => {
    const raw = await startRawWorker((frame, stream) => {
      const protocolVersion = PROTOCOL_VERSION + 1;
      const welcome = { protocolVersion, bootId: 'any', uid: 'raw', window: 8, operations: ['a'] };
      if (frame.$case === 'hello') stream.write({ frame: { $case: 'welcome', value: welcome } });
    });
    cleanUp.push(() => raw.stop());
    const link = dial(`127.0.0.1:${raw.port}`, { bootId: undefined });
    await within('the handshake', link.opened);
    expect(link.client.state).toBe('open');
    expect(link.client.window).toBe(8);
    link.client.close('the test is over');
    await eventually('the end', () => link.closings.length === 1);
  });
});

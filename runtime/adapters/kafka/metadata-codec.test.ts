import { expect, test } from '@jest/globals';
import { decodeMetadataResponse, encodeMetadataRequest } from './metadata-codec.ts';

test('a request, byte for byte, as a broker took it', () => {
  expect(encodeMetadataRequest(['golden.events', 'missing']).toString('hex')).toBe(
    [
      '03', // two topics
      '00000000000000000000000000000000', // no id
      '0e676f6c64656e2e6576656e7473',
      '00',
      '00000000000000000000000000000000',
      '086d697373696e67',
      '00',
      '00', // create none
      '00', // without authorized operations
      '00',
    ].join(''),
  );
});

/** What Kafka 4.3.1 answered to it. */
const ANSWER = [
  '00000000',
  '02', // one broker
  '00000001',
  '0a3132372e302e302e31',
  '00007974',
  '00',
  '00',
  '174f694a36315830703478504147336a6f487337663677', // cluster
  '00000001', // controller
  '03', // two topics
  '0000',
  '0e676f6c64656e2e6576656e7473',
  'd514d27da550415a88a15a05c5291983',
  '00',
  '03', // two partitions
  '0000' + '00000000' + '00000001' + '00000000' + '0200000001' + '0200000001' + '01' + '00',
  '0000' + '00000001' + '00000001' + '00000000' + '0200000001' + '0200000001' + '01' + '00',
  '80000000',
  '00',
  '0003', // it does not exist
  '086d697373696e67',
  '00000000000000000000000000000000',
  '00',
  '01',
  '80000000',
  '00',
  '00',
].join('');

test('an answer, byte for byte, as a broker gave it', () => {
  expect(decodeMetadataResponse(Buffer.from(ANSWER, 'hex'))).toEqual({
    brokers: [{ nodeId: 1, host: '127.0.0.1', port: 31092 }],
    controllerId: 1,
    topics: [
      {
        errorCode: 0,
        name: 'golden.events',
        // As kafka-topics.sh --describe prints it.
        id: '1RTSfaVQQVqIoVoFxSkZgw',
        partitions: [0, 1].map((partition) => ({ partition, errorCode: 0, leader: 1, replicas: [1] })),
      },
      { errorCode: 3, name: 'missing', id: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: [] },
    ],
  });
});

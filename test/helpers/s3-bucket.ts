import { DeleteBucketCommand, DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { S3Connection, type S3Server } from '../../runtime/adapters/s3/connection.ts';

/** Removes a bucket with its objects, of which there are at most 1,000: the server may be one that stays. */
export async function removeBucket(server: S3Server, bucket: string): Promise<void> {
  const connection = new S3Connection(server);
  const { client } = connection;
  try {
    const { Contents: contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    for (const { Key: key } of contents) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    }
    await client.send(new DeleteBucketCommand({ Bucket: bucket }));
  } finally {
    connection.destroy();
  }
}

"""Asks one S3 many things by boto3 and prints what it answers, without what may differ: times, ids, hosts."""
import json
import sys

import boto3
from botocore.exceptions import ClientError

PASSED_OVER = {
    'ResponseMetadata', 'LastModified', 'CreationDate', 'Owner', 'VersionId', 'UploadId', 'Location', 'HostId',
    'NextContinuationToken', 'ContinuationToken', 'Initiated', 'Initiator', 'Bucket', 'NextVersionIdMarker',
    'VersionIdMarker', 'CopySourceVersionId', 'AcceptRanges', 'DeleteMarkerVersionId',
    # What AWS answers since 2023 or 2024, and moto does not, or not everywhere.
    'ServerSideEncryption', 'ChecksumType', 'ChecksumAlgorithm', 'ChecksumCRC64NVME', 'Marker', 'EncodingType',
}
s3 = boto3.client('s3')
out = []


def clean(value):
    if isinstance(value, dict):
        return {k: clean(v) for k, v in sorted(value.items()) if k not in PASSED_OVER}
    if isinstance(value, list):
        return [clean(v) for v in value]
    if hasattr(value, 'read'):
        return value.read().decode()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def ask(name, **parameters):
    try:
        answer = getattr(s3, name)(**parameters)
        out.append([name, clean({k: v for k, v in parameters.items() if k != 'Body'}), clean(answer)])
        return answer
    except ClientError as error:
        out.append([name, clean({k: v for k, v in parameters.items() if k != 'Body'}), error.response['Error']['Code'],
                    error.response['ResponseMetadata']['HTTPStatusCode']])
        return {}


B = 'judged-bucket'
ask('create_bucket', Bucket=B, CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})
ask('get_bucket_location', Bucket=B)
ask('head_bucket', Bucket='nobody-has-this')
ask('list_objects_v2', Bucket='nobody-has-this')
for key in ['a/1', 'a/2', 'a/b/3', 'b', 'c d/é', 'z+&=']:
    ask('put_object', Bucket=B, Key=key, Body=key.encode(), ContentType='text/plain', Metadata={'k': 'v'})
for more in [{}, {'Prefix': 'a/'}, {'Delimiter': '/'}, {'Prefix': 'a/', 'Delimiter': '/'}, {'MaxKeys': 2}, {'StartAfter': 'a/2'},
             {'Prefix': 'none'}, {'MaxKeys': 0}, {'Delimiter': '/', 'MaxKeys': 1}]:
    ask('list_objects_v2', Bucket=B, **more)
    ask('list_objects', Bucket=B, **{k: v for k, v in more.items() if k != 'StartAfter'})
seen, token = [], {}
while True:
    page = s3.list_objects_v2(Bucket=B, MaxKeys=2, Delimiter='/', **token)
    seen.append([[c['Key'] for c in page.get('Contents', [])], [p['Prefix'] for p in page.get('CommonPrefixes', [])]])
    if not page['IsTruncated']:
        break
    token = {'ContinuationToken': page['NextContinuationToken']}
out.append(['pages', seen])
ask('get_object', Bucket=B, Key='a/1')
ask('head_object', Bucket=B, Key='a/1')
ask('get_object', Bucket=B, Key='none')
ask('head_object', Bucket=B, Key='none')
for value in ['bytes=1-', 'bytes=-1', 'bytes=0-0', 'bytes=1-99', 'bytes=99-']:
    ask('get_object', Bucket=B, Key='a/1', Range=value)
ask('put_object', Bucket=B, Key='a/1', Body=b'x', IfNoneMatch='*')
ask('get_object', Bucket=B, Key='a/1', IfMatch='"0"')
ask('get_bucket_versioning', Bucket=B)
ask('put_bucket_versioning', Bucket=B, VersioningConfiguration={'Status': 'Enabled'})
ask('get_bucket_versioning', Bucket=B)
ask('put_object', Bucket=B, Key='b', Body=b'second')
ask('delete_object', Bucket=B, Key='b')
ask('get_object', Bucket=B, Key='b')
ask('list_object_versions', Bucket=B, Prefix='b')
ask('list_object_versions', Bucket=B, Delimiter='/')
ask('copy_object', Bucket=B, Key='copy', CopySource={'Bucket': B, 'Key': 'a/2'})
ask('get_bucket_policy', Bucket=B)
ask('get_object_lock_configuration', Bucket=B)
ask('get_bucket_lifecycle_configuration', Bucket=B)
ask('get_bucket_tagging', Bucket=B)
ask('delete_objects', Bucket=B, Delete={'Objects': [{'Key': 'a/1'}, {'Key': 'none'}]})
ask('delete_bucket', Bucket=B)
upload = s3.create_multipart_upload(Bucket=B, Key='m')['UploadId']
part = s3.upload_part(Bucket=B, Key='m', UploadId=upload, PartNumber=1, Body=b'p' * 5 * 1024 * 1024)
ask('list_parts', Bucket=B, Key='m', UploadId=upload)
ask('complete_multipart_upload', Bucket=B, Key='m', UploadId=upload, MultipartUpload={'Parts': [{'ETag': '"0"', 'PartNumber': 1}]})
ask('complete_multipart_upload', Bucket=B, Key='m', UploadId=upload, MultipartUpload={'Parts': [{'ETag': part['ETag'], 'PartNumber': 1}]})
ask('head_object', Bucket=B, Key='m')
json.dump(out, sys.stdout)

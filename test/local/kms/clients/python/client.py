"""Uses the KMS that its environment names as a program with boto3 does, and prints what it saw as JSON."""

import json

import boto3
from botocore.exceptions import ClientError

kms = boto3.client("kms")
seen = {}


def saw(call, **parameters):
    try:
        return call(**parameters)
    except ClientError as error:
        # A typed exception exists for each error of the service's model.
        typed = type(error).__name__
        name = error.response["Error"]["Code"]
        return name if typed in (name, "ClientError") else f"{name} as {typed}"


def refusal(call, **parameters):
    answer = saw(call, **parameters)
    return answer if isinstance(answer, str) else "answered"


key = kms.create_key(Description="boto3", Tags=[{"TagKey": "CreatedBy", "TagValue": "boto3"}])["KeyMetadata"]["Arn"]
context = {"purpose": "test"}
blob = kms.encrypt(KeyId=key, Plaintext=b"a message", EncryptionContext=context)["CiphertextBlob"]
seen["decrypted"] = kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"].decode()
seen["tags"] = [tag["TagKey"] for tag in kms.list_resource_tags(KeyId=key)["Tags"]]
kms.create_alias(AliasName="alias/boto3", TargetKeyId=key)
seen["aliases"] = [alias["AliasName"] for alias in kms.list_aliases(KeyId=key)["Aliases"]]
seen["rotates"] = kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
kms.disable_key(KeyId=key)
seen["disabled"] = refusal(kms.encrypt, KeyId=key, Plaintext=b"a")
kms.enable_key(KeyId=key)
signing = kms.create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
how = {"KeyId": signing, "Message": b"a message", "SigningAlgorithm": "ECDSA_SHA_256"}
signature = kms.sign(**how)["Signature"]
seen["verified"] = kms.verify(**how, Signature=signature)["SignatureValid"]
seen["forged"] = refusal(kms.verify, **{**how, "Message": b"another"}, Signature=signature)
seen["publicKey"] = kms.get_public_key(KeyId=signing)["KeySpec"]
mac_key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
mac = kms.generate_mac(KeyId=mac_key, Message=b"a", MacAlgorithm="HMAC_SHA_256")["Mac"]
seen["mac"] = kms.verify_mac(KeyId=mac_key, Message=b"a", MacAlgorithm="HMAC_SHA_256", Mac=mac)["MacValid"]
data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
seen["dataKey"] = kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"] == data_key["Plaintext"]


def make_pair():
    pair = kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")
    opened = kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"]
    return opened == pair["PrivateKeyPlaintext"]


def make_grant():
    me = kms.create_grant(KeyId=key, GranteePrincipal="arn:aws:iam::111122223333:role/node", Operations=["Decrypt"])
    grants = [grant["GrantId"] == me["GrantId"] for grant in kms.list_grants(KeyId=key)["Grants"]]
    kms.revoke_grant(KeyId=key, GrantId=me["GrantId"])
    return grants


# A KMS that has neither says so by name.
seen["pair"] = saw(make_pair)
seen["grants"] = saw(make_grant)
pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1})
listed = {listed["KeyId"] for page in pages for listed in page["Keys"]}
seen["listed"] = len(listed & {key.split("/")[1], signing, mac_key})
seen["notFound"] = refusal(kms.describe_key, KeyId="alias/nobody")
seen["invalid"] = refusal(kms.generate_random, NumberOfBytes=1025)
seen["pending"] = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)["KeyState"]
print(json.dumps(seen))

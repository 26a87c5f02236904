"""The product's place at Amazon as code: a CloudFormation template, and how a version goes there.

A tool beside the product, which never imports it. What it is made of: docs/aws.md.
"""

"""Faults put into trainings on purpose: is each found, is nothing found in healthy ones, and does the fix help?"""
